"""Callers who hang up before a plain response: nothing is made, stored or billed for them."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from testing.pictures import ball, encoded
from testing.processes import Parts, parts
from testing.system import FORM
from testing.waiting import eventually

PHOTO = encoded(ball(160, 120)[0])
SECONDS = 0.6
"""How long every engine takes."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    settings = {"FIXED_SECONDS": str(SECONDS), "GATEWAY_BACKGROUNDS": "square"}
    with parts(tmp_path_factory.mktemp("store"), settings) as started:
        yield started


@pytest.fixture(scope="module")
def client(running: Parts) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=60) as opened:
        yield opened


def hang_up(client: httpx.Client, running: Parts, path: str, *, after: float, **request: Any) -> None:
    """Send a request and close the connection after a while."""
    built = client.build_request("POST", path, **request)
    body = built.read()
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in built.headers.items())
    with socket.create_connection(("127.0.0.1", running.gateway.port)) as connection:
        connection.sendall(head.encode() + b"\r\n" + body)
        time.sleep(after)


def ads_of(upload: dict[str, str]) -> dict[str, str]:
    return {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}


def calls(running: Parts, method: str) -> int:
    """Return how many calls of a method the engines finished."""
    lines = [json.loads(line) for line in running.engines.lines if line.startswith("{")]
    return sum(line.get("event") == "call" and line["method"] == method and line["code"] == "OK" for line in lines)


def test_nothing_is_recorded_and_no_later_stage_runs(running: Parts, client: httpx.Client) -> None:
    upload = client.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)}).json()
    composed, history = calls(running, "ComposeCreatives"), client.get("/api/history").json()
    hang_up(client, running, "/api/generate-product", after=0.5 * SECONDS, data=ads_of(upload))
    time.sleep(6 * SECONDS)
    assert client.get("/api/history").json() == history
    assert calls(running, "ComposeCreatives") == composed
    made = client.post("/api/generate-product", data=ads_of(upload))
    assert made.status_code == 200, "the upload is kept"
    assert calls(running, "ComposeCreatives") == composed + 1


def test_an_upload_leaves_nothing(running: Parts, client: httpx.Client) -> None:
    lines = len(running.history.lines)
    hang_up(client, running, "/api/upload-image", after=0.5 * SECONDS, files={"product_image": ("a.png", PHOTO)})
    eventually(lambda: any('"DiscardUpload"' in line for line in running.history.lines[lines:]), seconds=20)
    assert not any('"PutCutout"' in line for line in running.history.lines[lines:])


def test_a_key_can_be_used_again_at_once(running: Parts, client: httpx.Client) -> None:
    upload = client.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)}).json()
    before = len(client.get("/api/history").json())
    key = {"Idempotency-Key": "order-7"}
    hang_up(client, running, "/api/generate-product", after=0.5 * SECONDS, data=ads_of(upload), headers=key)
    time.sleep(1)
    again = client.post("/api/generate-product", data=ads_of(upload), headers=key)
    assert again.status_code == 200, again.text
    assert len(client.get("/api/history").json()) == before + 1
