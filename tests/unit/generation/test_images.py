"""Servers of pictures: the real client against the shapes in which six servers answer, over real HTTP."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from openai import OpenAI

from common.errors import InvalidInputError, OverloadedError, PreconditionError, ServiceError, UnavailableError
from common.serving.engines import EngineRegistry
from common.serving.work import AbandonedError
from productimage.context import FOREVER, set_deadline
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import Background, BackgroundRequest, RenderedSet
from services.generation.engines.cloud_metrics import COST
from services.generation.engines.fallback import FallbackBackground
from services.generation.engines.openai import access, calls
from services.generation.engines.openai.access import to_images
from services.generation.engines.openai.images import Images, size_for
from services.generation.engines.registry import load_engines
from services.generation.settings import GenerationSettings
from testing.pictures import encoded, gradient
from testing.scripted_http import Asked, Reply, ScriptedServer, scripted

PICTURE = encoded(gradient(160, 128))
PRODUCT, AUDIENCE = Product("保溫瓶", "24小時保冷"), Audience("female", "25-34", "outdoor")
TERMS = Terms("insulated steel bottle", (), "young women who hike")
REQUEST = BackgroundRequest(PRODUCT, AUDIENCE, 5 / 4, 7, TERMS)


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("IMAGES_BASE_URL", "IMAGES_KEY", "OPENAI_KEY", "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(calls, "FIRST_PAUSE", 0)
    with ExitStack() as stack:
        monkeypatch.setattr(access, "OpenAI", lambda **options: stack.enter_context(OpenAI(**options)))
        yield


def settings_for(server: ScriptedServer, **more: Any) -> GenerationSettings:
    values: dict[str, Any] = {"images_base_url": f"{server.url}/v1", "images_key": "sk-hush", **more}
    return GenerationSettings(**values)


def made(server: ScriptedServer, request: BackgroundRequest = REQUEST, **more: Any) -> Background:
    settings = settings_for(server, **more)
    return Images(to_images(settings), settings).generate(request)


def said(entry: dict[str, Any], **more: Any) -> Reply:
    return Reply(body=json.dumps({"created": 1_790_000_000, "data": [entry], **more}).encode())


def in_base64(picture: bytes = PICTURE) -> str:
    return base64.b64encode(picture).decode()


def refused(status: int, **error: Any) -> Reply:
    body = {"error": {"message": "detail sk-hush", "type": "x", "param": None, "code": None, **error}}
    return Reply(status, json.dumps(body).encode())


Server = Callable[[Asked], Reply]


def openai_server(asked: Asked) -> Reply:
    """gpt-image models: no response_format, sides are multiples of 16, no seed."""
    body = asked.json
    if "response_format" in body or "seed" in body:
        return refused(400, code="unknown_parameter", param="seed", type="invalid_request_error")
    width, height = map(int, body["size"].split("x"))
    if width % 16 or height % 16 or not 655_360 <= width * height <= 8_294_400:
        return refused(400, code="invalid_value", param="size")
    usage = {"input_tokens": 50, "output_tokens": 1056, "total_tokens": 1106}
    return said({"b64_json": in_base64()}, usage=usage, size=body["size"], output_format="png", quality="medium")


def sd_server(asked: Asked) -> Reply:
    """stable-diffusion.cpp: the seed within the prompt."""
    arguments = asked.json["prompt"].partition("<sd_cpp_extra_args>")[2].removesuffix("</sd_cpp_extra_args>")
    if json.loads(arguments) != {"seed": 7}:
        return refused(400)
    return said({"b64_json": in_base64()}, output_format="png")


def vllm_omni(asked: Asked) -> Reply:
    if asked.json["seed"] != 7 or "people" not in asked.json["negative_prompt"]:
        return Reply(422, b'{"detail": [{"loc": ["body", "seed"], "msg": "Field required", "type": "missing"}]}')
    return said({"b64_json": in_base64(), "url": None, "revised_prompt": None})


def sglang(asked: Asked) -> Reply:
    if asked.json["seed"] != 7:
        return refused(400)
    return said({"b64_json": in_base64(), "revised_prompt": "a table", "file_path": "outputs/1.png"}, id="img_1")


def local_ai(asked: Asked) -> Reply:
    """Answers with an address of its own, and says the wrong kind of content."""
    if asked.path.startswith("/generated-images/"):
        return Reply(body=PICTURE, headers={"Content-Type": "text/html"})
    if "|people" not in asked.json["prompt"]:
        return refused(500)
    return said({"url": f"http://{asked.headers['Host']}/generated-images/b641.png"}, id="1")


def lite_llm(_asked: Asked) -> Reply:
    """A proxy that hands on what some vendors send: a data URL in place of base64, and JPEG."""
    jpeg = base64.b64encode(encoded(gradient(160, 128), "JPEG", quality=95, subsampling=0)).decode()
    return said({"b64_json": f"data:image/jpeg;base64,{jpeg}", "url": ""}, usage=None)


SERVERS: dict[str, tuple[Server, str]] = {
    "openai": (openai_server, "openai"),
    "stable-diffusion.cpp": (sd_server, "sd-server"),
    "vllm-omni": (vllm_omni, "vllm-omni"),
    "sglang": (sglang, "sglang"),
    "localai": (local_ai, "localai"),
    "litellm": (lite_llm, "openai"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_is_spoken_to_in_its_own_way(name: str) -> None:
    server_kind, dialect = SERVERS[name]
    with scripted(server_kind) as server:
        background = made(server, images_dialect=dialect, images_model="some-model")
    asked = server.asked[0]
    assert asked.path == "/v1/images/generations"
    assert asked.headers["Authorization"] == "Bearer sk-hush"
    assert (asked.json["model"], asked.json["n"]) == ("some-model", 1)
    assert '"insulated steel bottle"' in asked.json["prompt"]
    assert "people" in asked.body.decode(), "what to avoid is said somewhere"
    assert background.pixels.shape == (128, 160, 3)
    assert np.abs(background.pixels.astype(int) - gradient(160, 128)).mean() < 3
    assert background.engine == "images/some-model"
    assert background.origin.source_type == "trainedAlgorithmicMedia"


def test_a_server_without_a_key_or_a_model_of_its_own_needs_neither() -> None:
    with scripted([said({"b64_json": in_base64()})]) as server:
        made(server, images_key=None, images_model="", images_extra_body={"steps": 4, "quality": "low"})
    body = server.asked[0].json
    assert "model" not in body
    assert (body["steps"], body["quality"]) == (4, "low")


@pytest.mark.parametrize(
    ("ratio", "chosen", "size"),
    [
        (1, {}, (1024, 1024)),
        (16 / 9, {}, (1360, 768)),
        (8, {}, (1776, 592)),
        (1 / 8, {}, (592, 1776)),
        (1.9, {"images_sizes": "1024x1024,1536x1024,1024x1536"}, (1536, 1024)),
        (0.9, {"images_sizes": "1024x1024,1536x1024,1024x1536"}, (1024, 1024)),
        (1, {"images_pixels": 262_144}, (512, 512)),
    ],
)
def test_sizes_are_those_that_models_make(ratio: float, chosen: dict[str, Any], size: tuple[int, int]) -> None:
    assert size_for(ratio, GenerationSettings(**chosen)) == size


@pytest.mark.parametrize("ratio", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_what_is_too_much_is_cut_off_the_sides(ratio: float) -> None:
    with scripted([said({"b64_json": in_base64(encoded(gradient(300, 200)))})]) as server:
        pixels = made(server, BackgroundRequest(PRODUCT, AUDIENCE, ratio, 7)).pixels
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(ratio, rel=0.02)


def test_the_place_of_the_product_is_redrawn_on_request() -> None:
    changed = gradient(160, 128)[::-1]
    with scripted([said({"b64_json": in_base64()}), said({"b64_json": in_base64(encoded(changed))})]) as server:
        background = made(server, images_edit=True, images_dollars_per_picture=0.05)
    first, second = server.asked
    assert (first.path, second.path) == ("/v1/images/generations", "/v1/images/edits")
    assert second.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="mask"; filename="mask.png"' in second.body
    assert np.array_equal(background.pixels, changed)
    assert background.dollars == pytest.approx(0.10)


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://127.0.0.1:1/x", "", "//x/y"]
)
def test_an_address_elsewhere_is_not_fetched(where: str) -> None:
    with scripted([said({"url": where})]) as server, pytest.raises(UnavailableError) as caught:
        made(server)
    assert len(server.asked) == 1
    assert caught.value.reason == "PICTURE_ELSEWHERE"


def test_a_redirect_to_elsewhere_is_not_followed() -> None:
    def leading_away(asked: Asked) -> Reply:
        if asked.path == "/a.png":
            return Reply(302, headers={"Location": "http://127.0.0.1:1/"})
        return said({"url": f"http://{asked.headers['Host']}/a.png"})

    with scripted(leading_away) as server, pytest.raises(UnavailableError, match="hand out"):
        made(server)


@pytest.mark.parametrize(
    ("reply", "kind", "reason", "times"),
    [
        (refused(401), PreconditionError, "BAD_KEY", 1),
        (refused(403), PreconditionError, "BAD_KEY", 1),
        (refused(404, code="model_not_found"), PreconditionError, "MODEL_GONE", 1),
        (refused(429), OverloadedError, "MODEL_BUSY", 3),
        (refused(429, code="insufficient_quota"), PreconditionError, "NO_CREDIT", 1),
        (refused(400, code="moderation_blocked"), InvalidInputError, "PROMPT_FILTERED", 1),
        (refused(400, code="content_policy_violation"), InvalidInputError, "PROMPT_FILTERED", 1),
        (refused(400, param="size"), InvalidInputError, "NOT_ACCEPTED", 1),
        (Reply(422, b'{"detail": "no"}'), InvalidInputError, "NOT_ACCEPTED", 1),
        (Reply(502, b"<html>bad gateway</html>"), UnavailableError, "DEPENDENCY_UNAVAILABLE", 3),
        (Reply(cut=True), UnavailableError, "DEPENDENCY_UNAVAILABLE", 3),
        (Reply(body=b"<html>"), UnavailableError, "UNREADABLE", 1),
        (Reply(body=b"[]"), UnavailableError, "UNREADABLE", 1),
        (Reply(body=b'{"data": []}'), UnavailableError, "UNREADABLE", 1),
        (Reply(body=b'{"data": ["x"]}'), UnavailableError, "UNREADABLE", 1),
        (said({"b64_json": "no base64!"}), UnavailableError, "UNREADABLE", 1),
        (said({"b64_json": in_base64(b"no picture")}), InvalidInputError, "UNSUPPORTED_IMAGE", 1),
        (Reply(body=b'{"data": [{"b64_json": "' + b"A" * 30_000_000), UnavailableError, "UNREADABLE", 1),
    ],
)
def test_every_fault_of_a_server_says_what_to_do(
    reply: Reply, kind: type[ServiceError], reason: str, times: int
) -> None:
    with scripted([reply]) as server, pytest.raises(kind) as caught:
        made(server)
    assert caught.value.reason == reason
    assert len(server.asked) == times
    assert "sk-hush" not in str(caught.value)


def test_a_slow_server_is_waited_for_no_longer_than_set() -> None:
    start = time.monotonic()
    with scripted([Reply(wait=20)]) as server, pytest.raises(UnavailableError, match="took too long"):
        made(server, images_timeout_seconds=0.2)
    assert time.monotonic() - start < 10


def test_nothing_is_asked_when_the_deadline_is_near() -> None:
    set_deadline(time.monotonic() + 0.5)
    try:
        with scripted([said({"b64_json": in_base64()})]) as server, pytest.raises(AbandonedError):
            made(server)
    finally:
        set_deadline(FOREVER)
    assert not server.asked


def test_what_it_costs_is_counted() -> None:
    cost = COST.labels("images/gpt-image-2")._value
    before = cost.get()
    with scripted([said({"b64_json": in_base64()})]) as server:
        assert made(server).dollars == pytest.approx(0.053)
    assert cost.get() - before == pytest.approx(0.053)


class Rendering:
    """Stands in for the sets, which take seconds to load."""

    name = "set"
    dollars_per_picture = 0.0

    def ask_end(self) -> None:
        pass

    def generate(self, request: BackgroundRequest) -> RenderedSet:
        return RenderedSet(
            request.product, request.audience, request.terms, request.seed, request.preferences, "a remark"
        )


@pytest.mark.parametrize("reply", [refused(401), refused(404), refused(429), Reply(500, b"x"), Reply(cut=True)])
def test_a_set_takes_the_place_of_a_model_that_does_not_answer(reply: Reply) -> None:
    with scripted([reply]) as server:
        settings = settings_for(server)
        rendered = FallbackBackground(Images(to_images(settings), settings), Rendering()).generate(REQUEST)
    assert isinstance(rendered, RenderedSet)
    assert rendered.engine == "set"
    assert rendered.note.startswith("Rendered as a set. The ")
    assert rendered.note.endswith(" a remark")


def test_what_a_filter_refuses_does_not_become_a_set() -> None:
    with scripted([refused(400, code="moderation_blocked")]) as server:
        settings = settings_for(server)
        engine = FallbackBackground(Images(to_images(settings), settings), Rendering())
        with pytest.raises(InvalidInputError):
            engine.generate(REQUEST)


@pytest.mark.parametrize(
    ("chosen", "engine"),
    [
        ({"images_base_url": "http://localhost:1/v1"}, "images/gpt-image-2"),
        ({"images_base_url": "http://localhost:1/v1", "background_engine": "set"}, "set"),
        ({"background_engine": "images", "images_model": "klein"}, "images/klein"),
        (
            {"images_base_url": "http://localhost:1/v1", "aws_bearer_token_bedrock": "k", "copy_engine": "templates"},
            "images/gpt-image-2",
        ),
    ],
)
def test_an_address_is_enough(chosen: dict[str, Any], engine: str) -> None:
    settings = GenerationSettings(background_fallback=False, **chosen)
    assert load_engines(settings, EngineRegistry()).background.name == engine


def test_openais_own_key_goes_to_openai_and_nowhere_else() -> None:
    def key(**chosen: Any) -> str:
        return to_images(GenerationSettings(**chosen)).client.api_key

    assert key(openai_key="sk-openai") == "sk-openai"
    assert key(openai_key="sk-openai", images_key="sk-images") == "sk-images"
    assert key(openai_key="sk-openai", images_base_url="http://elsewhere/v1") == "none"
