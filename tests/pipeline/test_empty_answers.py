"""Answers of services are checked like any input: an empty one is told as their fault, and nothing is kept of it."""

import json
from pathlib import Path

import httpx
import pytest

from testing.pictures import ball, encoded
from testing.processes import parts
from testing.system import FORM
from testing.waiting import eventually

PHOTO = {"product_image": ("flask.png", encoded(ball(60, 40)[0]))}
CAPABILITIES = {
    "CutOut": "cut-out",
    "WriteCopy": "copy",
    "GenerateBackground": "background",
    "PlaceProduct": "object finding",
    "ComposeCreatives": "composition",
}


@pytest.mark.parametrize("method", list(CAPABILITIES))
def test_an_empty_answer_is_told_and_leaves_nothing(tmp_path: Path, method: str) -> None:
    environment = {"FIXED_SECONDS": "0", "FIXED_EMPTY": method, "GATEWAY_BACKGROUNDS": "square"}
    with (
        parts(tmp_path, environment) as running,
        httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=30) as client,
    ):
        answer = client.post("/api/upload-image", files=PHOTO)
        if method != "CutOut":
            upload = answer.json()
            form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
            answer = client.post("/api/generate-product", data=form)
        assert answer.status_code == 500, answer.text
        assert "request id" in answer.json()["detail"]

        def logged() -> list[str]:
            return [line for line in running.gateway.lines if "unusable response" in line]

        eventually(lambda: bool(logged()))
        assert [json.loads(line)["capability"] for line in logged()] == [CAPABILITIES[method]]
        assert client.get("/api/history").json() == []
        assert not any("Traceback" in line for line in running.gateway.lines)
    assert [file for file in (tmp_path / "static").rglob("*") if file.is_file()] == []
