"""Bedrock over HTTP: the real boto3 client against a server that speaks its wire format."""

import asyncio
import base64
import json
import os
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trustme
from pydantic import SecretStr

from common.errors import (
    InvalidInputError,
    OverloadedError,
    PreconditionError,
    ServiceError,
    StartError,
    UnavailableError,
)
from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.serving.work import AbandonedError
from productimage.context import FOREVER, set_deadline
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import BackgroundRequest
from services.generation.engines.bedrock import bedrock
from services.generation.engines.bedrock.api_key import ApiKey
from services.generation.engines.bedrock.bedrock import Bedrock
from services.generation.engines.bedrock.stability import nearest_ratio
from services.generation.engines.cloud_metrics import COST
from services.generation.engines.registry import load_engines
from services.generation.settings import GenerationSettings
from testing.pictures import Pixels, encoded, gradient
from testing.scripted_http import Asked, Reply, ScriptedServer, scripted

PICTURE = gradient(150, 120)
MODEL = "stability.stable-image-core-v1:1"
PRODUCT, AUDIENCE = Product("保溫瓶", "24小時保冷"), Audience("female", "25-34", "outdoor")
TERMS = Terms("insulated steel bottle", ("keeps drinks cold",), "young women who hike")


@pytest.fixture(autouse=True)
def _no_identity_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ROLE_ARN",
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(bedrock, "FIRST_PAUSE", 0)
    monkeypatch.setattr(bedrock, "MAX_PAUSE", 0)


def settings_for(server: ScriptedServer, **more: Any) -> GenerationSettings:
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "hush-hush"}
    values: dict[str, Any] = {"bedrock_endpoint_url": server.url, **keys, **more}
    return GenerationSettings(**values)


def answered(picture: Pixels | None = None, reason: str | None = None) -> Reply:
    images = [] if picture is None else [base64.b64encode(encoded(picture)).decode()]
    return Reply(body=json.dumps({"seeds": [7], "finish_reasons": [reason], "images": images}).encode())


def failed(status: int, code: str, message: str = "secret detail arn:aws:iam::123456789012") -> Reply:
    return Reply(status, json.dumps({"message": message}).encode(), {"x-amzn-ErrorType": code})


def made(server: ScriptedServer, seed: int = 7, **more: Any) -> tuple[Pixels, str, str]:
    background = Bedrock(settings_for(server, **more)).generate(
        BackgroundRequest(PRODUCT, AUDIENCE, 5 / 4, seed, TERMS)
    )
    return background.pixels, background.prompt, background.engine


def test_a_picture_is_asked_for_and_read() -> None:
    with scripted([answered(PICTURE)]) as server:
        pixels, prompt, engine = made(server)
    [asked] = server.asked
    assert asked.path == "/model/stability.stable-image-core-v1%3A1/invoke"
    assert asked.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-west-2/bedrock/aws4_request" in asked.headers["Authorization"]
    assert set(asked.json) == {"prompt", "negative_prompt", "seed", "aspect_ratio", "output_format"}
    assert (asked.json["seed"], asked.json["aspect_ratio"], asked.json["output_format"]) == (7, "5:4", "png")
    assert '"insulated steel bottle"' in asked.json["prompt"]
    assert prompt.startswith(asked.json["prompt"])
    assert engine == f"bedrock/{MODEL}"
    assert np.array_equal(pixels, PICTURE)


def test_what_it_costs_is_counted_for_pictures_alone() -> None:
    cost = COST.labels(f"bedrock/{MODEL}")._value
    before = cost.get()
    with scripted([failed(503, "ServiceUnavailableException"), answered(PICTURE)]) as server:
        made(server, bedrock_dollars_per_picture=0.25)
    assert cost.get() - before == pytest.approx(0.25)


def test_the_same_seed_prompt_and_model_ask_with_the_same_bytes() -> None:
    with scripted([answered(PICTURE)]) as server:
        made(server, seed=4_294_967_295)
        made(server, seed=4_294_967_295)
        made(server, seed=1)
    first, second, other = (asked.body for asked in server.asked)
    assert first == second != other
    assert server.asked[0].json["seed"] < 4294967295


@pytest.mark.parametrize(
    ("ratio", "offered"), [(5 / 4, (5, 4)), (2 / 3, (2, 3)), (1, (1, 1)), (4, (21, 9)), (0.25, (9, 21))]
)
def test_the_nearest_proportions_are_asked_for(ratio: float, offered: tuple[int, int]) -> None:
    assert nearest_ratio(ratio) == offered


def test_other_proportions_are_cut_out_of_the_middle() -> None:
    with scripted([answered(PICTURE)]) as server:
        background = Bedrock(settings_for(server)).generate(BackgroundRequest(PRODUCT, AUDIENCE, 2.0, 1))
    assert background.pixels.shape == (75, 150, 3)
    assert np.array_equal(background.pixels, PICTURE[22:97])
    zone = background.placement.box
    assert 0 < zone.left < zone.right < 150
    assert 0 < zone.top < zone.bottom < 75
    assert background.placement.estimated


@pytest.mark.parametrize(
    ("reply", "kind", "reason", "text"),
    [
        (answered(reason="Filter reason: prompt"), InvalidInputError, "PROMPT_FILTERED", "filter refused the words"),
        (answered(reason="Filter reason: output image"), InvalidInputError, "PICTURE_FILTERED", "refused the picture"),
        (answered(reason="Inference error"), UnavailableError, None, "made no picture"),
        (answered(), UnavailableError, None, "made no picture"),
        (Reply(body=b"<html>"), UnavailableError, None, "could not be read"),
        (Reply(body=b'{"images": ["%%%"]}'), UnavailableError, None, "could not be read"),
        (
            failed(404, "ResourceNotFoundException"),
            PreconditionError,
            "MODEL_GONE",
            "GENERATION_BEDROCK_MODEL; these are active",
        ),
        (failed(403, "AccessDeniedException"), PreconditionError, "ACCESS_DENIED", "request access to the model"),
        (failed(403, "UnrecognizedClientException"), PreconditionError, "BAD_CREDENTIALS", "check AWS_ACCESS_KEY_ID"),
        (failed(403, "ExpiredTokenException"), PreconditionError, "BAD_CREDENTIALS", "check AWS_ACCESS_KEY_ID"),
        (failed(400, "ValidationException"), InvalidInputError, "NOT_ACCEPTED", "in fewer or other words"),
        (failed(429, "ThrottlingException"), OverloadedError, "MODEL_BUSY", "busy: try again in a minute"),
        (failed(400, "ServiceQuotaExceededException"), OverloadedError, "MODEL_BUSY", "busy"),
        (failed(503, "ServiceUnavailableException"), UnavailableError, None, "does not answer"),
        (failed(500, "InternalServerException"), UnavailableError, None, "does not answer"),
        (Reply(cut=True), UnavailableError, None, "does not answer"),
    ],
)
def test_every_error_says_what_to_do(reply: Reply, kind: type[ServiceError], reason: str | None, text: str) -> None:
    with scripted([reply]) as server, pytest.raises(kind, match=text) as caught:
        made(server)
    assert reason is None or caught.value.reason == reason
    assert "123456789012" not in str(caught.value)


@pytest.mark.parametrize("code", ["ThrottlingException", "ModelNotReadyException", "ServiceUnavailableException"])
def test_what_may_pass_is_asked_again(code: str) -> None:
    with scripted([failed(429, code), Reply(cut=True), answered(PICTURE)]) as server:
        made(server)
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "times"),
    [
        (failed(429, "ThrottlingException"), 4),
        (failed(400, "ValidationException"), 1),
        (failed(403, "AccessDeniedException"), 1),
        (answered(reason="Filter reason: prompt"), 1),
    ],
)
def test_nothing_is_asked_more_often_than_makes_sense(reply: Reply, times: int) -> None:
    with scripted([reply]) as server, pytest.raises(ServiceError):
        made(server)
    assert len(server.asked) == times


def test_without_credentials_the_error_names_the_settings() -> None:
    with (
        scripted([answered(PICTURE)]) as server,
        pytest.raises(PreconditionError, match="set AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID") as caught,
    ):
        made(server, aws_access_key_id=None, aws_secret_access_key=None)
    assert caught.value.reason == "NO_CREDENTIALS"
    assert not server.asked


ROLE = b"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@pytest.mark.parametrize(("valid_for", "assumed"), [(timedelta(hours=1), 1), (timedelta(minutes=1), 3)])
def test_a_role_is_assumed_and_renewed(valid_for: timedelta, assumed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def sts(asked: Asked) -> Reply:
        assert b"RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fads" in asked.body
        expires = (datetime.now(UTC) + valid_for).isoformat().encode()
        return Reply(body=ROLE % (len(tokens.asked), expires), headers={"Content-Type": "text/xml"})

    with scripted(sts) as tokens, scripted([answered(PICTURE)]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        engine = Bedrock(settings_for(server, aws_role_arn="arn:aws:iam::1:role/ads"))
        for _ in range(3):
            engine.generate(BackgroundRequest(PRODUCT, AUDIENCE, 1, 1))
        assert len(tokens.asked) == assumed
        assert tokens.asked[0].headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        for number, asked in enumerate(server.asked, start=1):
            assert f"Credential=ASIAROLE{min(number, assumed)}/" in asked.headers["Authorization"]
            assert asked.headers["X-Amz-Security-Token"] == "token"


def test_a_role_that_may_not_be_assumed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    refusal = Reply(403, body, {"Content-Type": "text/xml"})
    with scripted([refusal]) as tokens, scripted([answered(PICTURE)]) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        with pytest.raises(PreconditionError, match="and AWS_ROLE_ARN"):
            made(server, aws_role_arn="arn:aws:iam::1:role/ads")
    assert not server.asked


def test_a_role_without_anything_to_assume_it_with_is_refused_at_start() -> None:
    with pytest.raises(StartError, match="AWS_ROLE_ARN needs credentials"):
        load_engines(GenerationSettings(aws_role_arn="arn:aws:iam::1:role/ads"), EngineRegistry())


def test_several_threads_ask_at_one_time() -> None:
    with scripted([answered(PICTURE)]) as server, ThreadPoolExecutor(8) as pool:
        engine = Bedrock(settings_for(server))
        asked = [
            pool.submit(engine.generate, BackgroundRequest(PRODUCT, AUDIENCE, 5 / 4, seed, TERMS)) for seed in range(24)
        ]
        assert all(np.array_equal(one.result().pixels, PICTURE) for one in asked)
    assert sorted(one.json["seed"] for one in server.asked) == list(range(24))


def test_in_a_pod_with_an_identity_the_role_is_left_to_botocore(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("web-identity-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/ads")
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat().encode()
    body = ROLE.replace(b"AssumeRole", b"AssumeRoleWithWebIdentity") % (5, expires)
    with (
        scripted([Reply(body=body, headers={"Content-Type": "text/xml"})]) as tokens,
        scripted([answered(PICTURE)]) as server,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", tokens.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
        made(server, aws_access_key_id=None, aws_secret_access_key=None)
    assert b"Action=AssumeRoleWithWebIdentity" in tokens.asked[0].body
    assert "Credential=ASIAROLE5/" in server.asked[0].headers["Authorization"]


def test_a_slow_answer_ends_with_the_deadline() -> None:
    with scripted([Reply(wait=30)]) as server:
        engine = Bedrock(settings_for(server))
        set_deadline(time.monotonic() + 1.5)
        try:
            with pytest.raises((UnavailableError, AbandonedError)):
                engine.generate(BackgroundRequest(PRODUCT, AUDIENCE, 5 / 4, 7, TERMS))
        finally:
            set_deadline(FOREVER)
    assert len(server.asked) == 1


async def test_nobody_asks_again_for_a_caller_who_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = BoundedExecutor(1, 0)
    monkeypatch.setattr(bedrock, "FIRST_PAUSE", 30)
    monkeypatch.setattr(bedrock, "MAX_PAUSE", 30)
    with scripted([failed(429, "ThrottlingException")]) as server:
        task = asyncio.create_task(executor.run(made, server))
        assert await asyncio.to_thread(server.was_asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(executor.close)  # waits for the thread, which ends at its next pause
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "model", ["stability.stable-diffusion-xl-v1", "amazon.titan-image-generator-v2:0", "anthropic.claude-v2"]
)
def test_a_model_that_cannot_be_used_is_refused_at_start(model: str) -> None:
    with pytest.raises(StartError, match="these are active") as caught:
        load_engines(GenerationSettings(background_engine="bedrock", bedrock_model=model), EngineRegistry())
    assert model in str(caught.value)
    assert all(active in str(caught.value) for active in ("core-v1:1", "ultra-v1:1", "sd3-5-large"))


def test_a_model_that_is_newer_than_we_are_is_taken_on_trust() -> None:
    settings = GenerationSettings(background_engine="bedrock", bedrock_model="stability.stable-image-next-v9:0")
    assert load_engines(settings, EngineRegistry()).background.name == "bedrock/stability.stable-image-next-v9:0"


def test_who_has_an_identity_gets_bedrock() -> None:
    def chosen(**more: Any) -> str:
        return load_engines(GenerationSettings(**more), EngineRegistry()).background.name.removeprefix("bedrock/")

    assert chosen() == "set"
    assert chosen(aws_access_key_id="a", aws_secret_access_key="b") == MODEL
    assert chosen(aws_role_arn="arn:aws:iam::1:role/ads", aws_access_key_id="a", aws_secret_access_key="b") == MODEL
    assert chosen(aws_role_arn="arn:aws:iam::1:role/ads", background_engine="set", copy_engine="templates") == "set"


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return the context of a server whose authority boto3 trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def test_an_api_key_is_sent_over_tls_and_renewed_from_the_environments_file(
    tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text("AWS_BEARER_TOKEN_BEDROCK=first\n")
    with scripted([answered(PICTURE)], tls) as server:
        settings = GenerationSettings(bedrock_endpoint_url=server.url)
        engine = load_engines(settings, EngineRegistry()).background
        assert engine.name == f"bedrock/{MODEL}"
        request = BackgroundRequest(PRODUCT, AUDIENCE, 1, 7, TERMS)
        engine.generate(request)
        file.write_text("AWS_BEARER_TOKEN_BEDROCK=second\n")
        os.utime(file, (1, 1))
        engine.generate(request)
        file.unlink()
        engine.generate(request)
    assert [asked.headers["Authorization"] for asked in server.asked] == [
        "Bearer first",
        "Bearer second",
        "Bearer second",
    ]


def test_a_key_of_the_process_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "own")
    key = ApiKey.of(GenerationSettings())
    (tmp_path / ".env").write_text("AWS_BEARER_TOKEN_BEDROCK=other\n")
    assert key is not None
    assert key.current() == "own"


def test_an_api_key_that_aws_does_not_accept_is_named(tls: ssl.SSLContext) -> None:
    with scripted([failed(403, "UnrecognizedClientException")], tls) as server:
        settings = GenerationSettings(bedrock_endpoint_url=server.url, aws_bearer_token_bedrock=SecretStr("hush-hush"))
        with pytest.raises(PreconditionError, match="check AWS_BEARER_TOKEN_BEDROCK") as caught:
            Bedrock(settings).generate(BackgroundRequest(PRODUCT, AUDIENCE, 1, 7))
    assert "hush" not in str(caught.value)
