"""Answers of services are checked like any input: an empty one is told as their fault, and nothing is kept of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from testing.pictures import ball, encoded
from testing.processes import Parts, parts
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


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that names the method whose responses are empty."""
    file = tmp_path_factory.mktemp("empty") / "method"
    file.touch()
    return file


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Iterator[Parts]:
    environment = {"FIXED_SECONDS": "0", "FIXED_EMPTY": str(empty), "GATEWAY_BACKGROUNDS": "square"}
    with parts(tmp_path_factory.mktemp("store"), environment) as started:
        yield started


@pytest.mark.parametrize("method", list(CAPABILITIES))
def test_an_empty_answer_is_told_and_leaves_nothing(running: Parts, empty: Path, method: str) -> None:
    already = len(running.gateway.lines)

    def logged() -> list[str]:
        return [line for line in running.gateway.lines[already:] if "unusable response" in line]

    with httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=30) as client:
        empty.write_text(method if method == "CutOut" else "")
        answer = client.post("/api/upload-image", files=PHOTO)
        if method != "CutOut":
            upload = answer.json()
            form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
            empty.write_text(method)
            answer = client.post("/api/generate-product", data=form)
        assert answer.status_code == 500, answer.text
        assert "request id" in answer.json()["detail"]
        eventually(lambda: bool(logged()))
        assert [json.loads(line)["capability"] for line in logged()] == [CAPABILITIES[method]]
        assert client.get("/api/history").json() == []
        assert not any("Traceback" in line for line in running.gateway.lines[already:])
    static = Path(running.history.environment["HISTORY_DISK_DIR"]) / "static"
    assert [file for file in static.rglob("*") if file.is_file()] == []
