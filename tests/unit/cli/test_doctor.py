"""Findings of the doctor: S3 against an S3-compatible server, Bedrock and OpenAI against scripted ones."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from cli.doctor import examine
from common.findings import Finding
from common.settings import read_settings
from gateway.check import findings as gateway_findings
from gateway.settings import GatewaySettings
from services.generation.check import findings as generation_findings
from services.generation.settings import GenerationSettings
from services.history.check import findings as history_findings
from services.history.settings import HistorySettings
from testing.scripted_http import Asked, Reply, scripted
from tests.unit.history.conftest import s3_client, s3_settings, s3_url
from weights.check import findings as weights_findings

__all__ = ["s3_client", "s3_settings", "s3_url"]

NOWHERE = "http://127.0.0.1:9"
SECRET = "sk-very-secret"
MODEL = "stability.stable-image-core-v1:1"


UNUSED = ("S3", "image model", "language model", "shared counters")


@pytest.fixture(autouse=True)
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_KEY", "IMAGES_BASE_URL", "AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)


def found(subject: str) -> Finding:
    """Return a finding of the check whose subject it is. `examine` runs the checks as processes."""
    if subject == "S3":
        findings = history_findings(read_settings(HistorySettings))
    elif subject == "shared counters":
        findings = gateway_findings(read_settings(GatewaySettings))
    else:
        findings = generation_findings(read_settings(GenerationSettings))
    return next(finding for finding in findings if finding.subject == subject)


def reply(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "GENERATION_BACKGROUND_ENGINE": "bedrock",
        "GENERATION_COPY_ENGINE": "templates",
    }.items():
        monkeypatch.setenv(name, value)


def test_what_is_not_configured_is_in_order() -> None:
    for subject in UNUSED:
        finding = found(subject)
        assert finding.ok
        assert "not used" in finding.detail


def test_without_a_gateway_the_ports_are_looked_at() -> None:
    findings = {finding.subject: finding for finding in examine(NOWHERE)}
    assert findings["gateway"].detail == f"nothing responds at {NOWHERE}"
    assert findings["gateway"].fix == "make run"
    assert {"port 50051 (segmentation)", "free disk space", *UNUSED} <= findings.keys(), "every check was made"
    assert findings["weights mobile_sam"].ok


def test_services_that_are_away_are_named() -> None:
    body = {"ready": False, "services": {"segmentation": True, "history": False}}
    with scripted([reply(body, 503)]) as gateway:
        findings = {finding.subject: finding for finding in islice(examine(gateway.url), 2)}
    assert findings["service segmentation"].ok
    assert findings["service history"].fix == "look at its log; start it with python -m services.history"


def test_something_else_on_the_gateways_port_is_named() -> None:
    with scripted([Reply(200, b"<html>", {"Content-Type": "text/html"})]) as stranger:
        [finding] = [finding for finding in examine(stranger.url) if finding.subject == "gateway"]
    assert not finding.ok
    assert finding.fix == "stop it, or set GATEWAY_PORT"


def test_damaged_weights_are_to_be_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "mobile_sam.pt").write_bytes(b"half of it")
    findings = {finding.subject: finding for finding in weights_findings(tmp_path)}
    assert findings["weights mobile_sam"].detail == "damaged"
    assert findings["weights u2netp"].fix == "python -m weights fetch u2netp"


def test_the_bucket_is_tried(monkeypatch: pytest.MonkeyPatch, s3_settings: HistorySettings) -> None:
    monkeypatch.setenv("S3_BUCKET_NAME", s3_settings.s3_bucket_name)
    monkeypatch.setenv("S3_ENDPOINT_URL", str(s3_settings.s3_endpoint_url))
    monkeypatch.setenv("S3_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("GENERATION_BACKGROUND_ENGINE", "set")
    finding = found("S3")
    assert finding.ok, finding
    monkeypatch.setenv("S3_BUCKET_NAME", "no-such-bucket")
    finding = found("S3")
    assert not finding.ok
    assert finding.fix == "create the bucket, or correct S3_BUCKET_NAME"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(("authorised", "ok"), [("AUTHORIZED", True), ("NOT_AUTHORIZED", False)])
def test_access_to_the_model_is_asked_for(monkeypatch: pytest.MonkeyPatch, authorised: str, ok: bool) -> None:
    body = {
        "modelId": MODEL,
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": authorised,
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
    with scripted([reply(body)]) as bedrock:
        monkeypatch.setenv("GENERATION_BEDROCK_ENDPOINT_URL", bedrock.url)
        finding = found("Bedrock")
    assert finding.ok is ok
    assert bool(finding.fix) is not ok
    assert "foundation-model-availability" in bedrock.asked[0].path


@pytest.mark.usefixtures("aws")
def test_a_refusal_says_what_to_do_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = Reply(403, b'{"message": "no"}', {"x-amzn-ErrorType": "AccessDeniedException"})
    with scripted([refusal]) as bedrock:
        monkeypatch.setenv("GENERATION_BEDROCK_ENDPOINT_URL", bedrock.url)
        finding = found("Bedrock")
    assert not finding.ok
    assert "AccessDeniedException" in finding.detail
    assert "rights" in finding.fix
    assert SECRET not in str(finding)


@pytest.mark.parametrize(("status", "fix"), [(200, ""), (401, "correct OPENAI_KEY"), (404, "GENERATION_OPENAI_MODEL")])
def test_the_key_to_openai_is_tried(monkeypatch: pytest.MonkeyPatch, status: int, fix: str) -> None:
    def answer(asked: Asked) -> Reply:
        assert asked.headers["Authorization"] == f"Bearer {SECRET}"
        body = {"id": "gpt-6-luna", "object": "model", "created": 1, "owned_by": "openai"}
        return reply(body if status == 200 else {"error": {"message": f"wrong key {SECRET}"}}, status)

    with scripted(answer) as openai:
        monkeypatch.setenv("OPENAI_KEY", SECRET)
        monkeypatch.setenv("GENERATION_OPENAI_BASE_URL", f"{openai.url}/v1")
        finding = found("OpenAI")
    assert finding.ok is (status == 200)
    assert fix in finding.fix
    assert SECRET not in str(finding)


@pytest.mark.parametrize(("ends", "ok"), [(None, True), (400, True), (90, False), (3, False), (-2, False)])
def test_the_end_of_a_model_is_told_in_days(monkeypatch: pytest.MonkeyPatch, ends: int | None, ok: bool) -> None:
    day = ends if ends is None else (datetime.now(UTC).date() + timedelta(days=ends)).isoformat()
    body = {"id": "gpt-6-luna", "object": "model", "created": 1, "owned_by": "openai", "shutdown_date": day}
    with scripted([reply(body)]) as openai:
        monkeypatch.setenv("OPENAI_KEY", SECRET)
        monkeypatch.setenv("GENERATION_OPENAI_BASE_URL", f"{openai.url}/v1")
        finding = found("OpenAI")
    assert finding.ok is ok
    assert f"in {ends} days" in finding.detail if ends else "no end is announced" in finding.detail
    assert ok or "gpt-6-luna (fast and cheap)" in finding.fix


@pytest.mark.parametrize(("status", "ok"), [(200, True), (404, True), (401, False), (500, False)])
def test_a_server_of_pictures_is_asked(monkeypatch: pytest.MonkeyPatch, status: int, ok: bool) -> None:
    with scripted([reply({"id": "klein"}, status)]) as server:
        monkeypatch.setenv("IMAGES_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("GENERATION_IMAGES_MODEL", "klein")
        finding = found("image server")
    assert finding.ok is ok
    assert server.asked[0].path == "/v1/models/klein"


@pytest.mark.usefixtures("aws")
def test_a_model_on_bedrock_that_ends_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT00:00:00Z")

    def answer(asked: Asked) -> Reply:
        if "availability" in asked.path:
            return reply({"modelId": MODEL, "authorizationStatus": "AUTHORIZED", "regionAvailability": "AVAILABLE"})
        return reply({"modelDetails": {"modelArn": "a", "modelId": MODEL, "modelLifecycle": {"endOfLifeTime": day}}})

    with scripted(answer) as bedrock:
        monkeypatch.setenv("GENERATION_BEDROCK_ENDPOINT_URL", bedrock.url)
        finding = found("Bedrock")
    assert not finding.ok
    assert "days" in finding.detail
    assert "stability.stable-image-ultra-v1:1" in finding.fix


def test_the_age_of_prices_is_told() -> None:
    assert found("prices of models").detail.startswith("as of 20")


def test_shared_counters_that_are_away_are_told_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_COUNTERS_URL", f"valkey://:{SECRET}@127.0.0.1:9")
    finding = found("shared counters")
    assert not finding.ok
    assert "GATEWAY_COUNTERS_URL" in finding.fix
    assert SECRET not in str(finding)
