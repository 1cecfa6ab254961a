"""Progress events, and what happens when their listener disconnects."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from testing.pictures import SAMPLE, encoded
from testing.scripted_http import Asked, Reply, scripted
from testing.system import FAST, FORM, System, started
from tests.pipeline.test_clouds import paint

LISTENING = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started(tmp_path_factory.mktemp("store"), FAST) as running:
        yield running


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """Parse events as a browser does; a comment is yielded as ("comment", None)."""
    name, data = "", ""
    for line in lines:
        if line.startswith(":"):
            yield "comment", None
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data = line.removeprefix("data: ")
        elif not line and name:
            yield name, json.loads(data)
            name = ""


def uploading(photo: bytes) -> dict[str, Any]:
    return {"url": "/api/upload-image", "files": {"product_image": ("flask.jpg", photo)}}


def generating(upload: dict[str, Any]) -> dict[str, Any]:
    form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
    return {"url": "/api/generate-product", "data": form}


def heard(system: System, request: dict[str, Any]) -> list[tuple[str, Any]]:
    with system.client.stream("POST", headers=LISTENING, **request) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(events(answer.iter_lines()))


def check_progress(told: list[tuple[str, Any]]) -> list[str]:
    """Check the events; return the names of the completed stages, in order."""
    news = [data for name, data in told if name == "progress"]
    fractions = [one["fraction"] for one in news]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    running: list[str] = []
    for one in news:
        if one["state"] == "started":
            running.append(one["name"])
        else:
            running.remove(one["name"])
            assert one["elapsed_seconds"] >= 0
    assert not running
    return [one["name"] for one in news if one["state"] == "done"]


def test_an_upload_tells_of_its_stages_and_then_its_result(system: System) -> None:
    told = heard(system, uploading(SAMPLE.read_bytes()))
    assert check_progress(told) == ["history", "cut_out", "history"]
    name, upload = told[-1]
    assert name == "result"
    assert set(upload) >= {"filename", "timestamp", "trans_path"}
    assert system.client.get(f"/static/{upload['trans_path']}").status_code == 200


def test_a_generation_tells_of_its_stages_and_then_its_result(system: System) -> None:
    told = heard(system, generating(system.upload().json()))
    done = check_progress(told)
    assert done[:2] == ["history", "copy"]
    assert done[-2:] == ["composition", "history"]
    assert done.count("background") == 1
    assert "object_finding" not in done, "nothing stands in the way in a rendered set"
    engines = {one["name"]: one["engine"] for name, one in told if name == "progress" and one["state"] == "done"}
    assert (engines["background"], engines["copy"], engines["history"]) == ("set", "templates", "")
    name, record = told[-1]
    assert name == "result"
    assert record == system.client.get("/api/history").json()[-1]


def test_a_failure_is_an_event_with_status_and_advice(system: System) -> None:
    *_, last = heard(system, uploading(encoded(np.full((200, 200, 3), 250, np.uint8))))
    assert last[0] == "error"
    assert last[1]["status"] == 422
    assert "could not find a product" in last[1]["detail"]
    assert last[1]["filename"].startswith(last[1]["timestamp"]), "the photo is kept, to be marked"


def test_what_is_wrong_with_the_request_itself_is_told_by_its_status(system: System) -> None:
    answer = system.client.post("/api/generate-product", data={"product_name": "x"}, headers=LISTENING)
    assert answer.status_code == 422
    assert "is missing" in answer.json()["detail"]


def test_who_hangs_up_ends_the_work_down_to_the_engines_queue(tmp_path: Path) -> None:
    """The first caller's picture keeps the only worker busy; the second disconnects while waiting for it."""
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Asked) -> Reply:
        if not request.path.endswith("/invoke"):
            return Reply(404)
        asked.set()
        assert go_on.wait(60)
        return paint(request)

    with scripted(slow) as bedrock:
        environment = {
            **FAST,
            "GENERATION_BACKGROUND_ENGINE": "bedrock",
            "GENERATION_BEDROCK_ENDPOINT_URL": bedrock.url,
            "GENERATION_BACKGROUND_FALLBACK": "false",
            "GENERATION_WORKERS": "1",
            "GATEWAY_BACKGROUNDS": "square",
            "GATEWAY_KEEP_ALIVE_SECONDS": "0.2",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ROLE_ARN": "",
            "NO_PROXY": "127.0.0.1",
        }
        with started(tmp_path, environment) as system:
            uploads = [system.upload().json() for _ in range(3)]
            first = threading.Thread(target=system.generate, args=(uploads[0],))
            first.start()
            assert asked.wait(30)
            with (
                httpx.Client(base_url=system.client.base_url, trust_env=False, timeout=30) as impatient,
                impatient.stream("POST", headers=LISTENING, **generating(uploads[1])) as answer,
            ):
                told = events(answer.iter_lines())
                assert next(data["name"] for name, data in told if name == "progress" and data["name"] == "copy")
                assert next(told)[0] == "comment", "the line is kept open"
            go_on.set()
            first.join(60)
            record = system.generate(uploads[2]).json()
            history = system.client.get("/api/history").json()
    pictures = [asked for asked in bedrock.asked if asked.path.endswith("/invoke")]
    assert len(pictures) == 2, "nothing was asked for the caller who had gone"
    assert [entry["product_image_filename"] for entry in history] == [uploads[0]["filename"], uploads[2]["filename"]]
    assert record["sequence"] == 1


@pytest.mark.slow
def test_an_upload_whose_caller_hangs_up_leaves_nothing(tmp_path: Path) -> None:
    slow = {"SEGMENTATION_ENGINE": "auto", "INPAINTING_ENGINE": "opencv"}
    with started(tmp_path, slow) as system:
        with (
            httpx.Client(base_url=system.client.base_url, trust_env=False, timeout=30) as impatient,
            impatient.stream("POST", headers=LISTENING, **uploading(SAMPLE.read_bytes())) as answer,
        ):
            told = events(answer.iter_lines())
            assert next(data for _, data in told if data["name"] == "cut_out")["state"] == "started"
            assert any("upload/flask.jpg" in path for path in system.stored())
        for _ in range(100):
            left = [path for path in system.stored() if "flask" in path or "uploads/" in path]
            if not left:
                break
            threading.Event().wait(0.1)
    assert left == []
