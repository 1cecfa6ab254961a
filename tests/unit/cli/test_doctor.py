"""Findings of the doctor: S3 against an S3-compatible server, Bedrock and OpenAI against scripted ones."""

import json
from pathlib import Path

import pytest

from cli.doctor import examine, run_check
from common.findings import Finding
from services.history.settings import HistorySettings
from testing.scripted_http import Asked, Reply, scripted
from tests.unit.history.conftest import s3_settings, s3_url
from weights.check import findings as weights_findings

__all__ = ["s3_settings", "s3_url"]

NOWHERE = "http://127.0.0.1:9"
SECRET = "sk-very-secret"
MODEL = "stability.stable-image-core-v1:1"


CHECKS = {"S3": "services.history", "Bedrock": "services.generation", "OpenAI": "services.generation"}


def found(subject: str) -> Finding:
    """Return a finding of the module whose subject it is."""
    return next(finding for finding in run_check(f"{CHECKS[subject]}.check") if finding.subject == subject)


def reply(body: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "GENERATION_BACKGROUND_ENGINE": "bedrock",
    }.items():
        monkeypatch.setenv(name, value)


def test_what_is_not_configured_is_in_order() -> None:
    for subject in ("S3", "Bedrock", "OpenAI"):
        finding = found(subject)
        assert finding.ok
        assert "not used" in finding.detail


def test_without_a_gateway_the_ports_are_looked_at() -> None:
    findings = {finding.subject: finding for finding in examine(NOWHERE)}
    assert findings["gateway"].detail == f"nothing responds at {NOWHERE}"
    assert findings["gateway"].fix == "make run"
    assert {"port 50051 (segmentation)", "free disk space", *CHECKS} <= findings.keys(), "every check was made"
    assert findings["weights mobile_sam"].ok


def test_services_that_are_away_are_named() -> None:
    body = {"ready": False, "services": {"segmentation": True, "history": False}}
    with scripted([reply(body, 503)]) as gateway:
        findings = {finding.subject: finding for finding in examine(gateway.url)}
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
