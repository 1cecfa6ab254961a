"""Requests repeated with the same idempotency key."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from testing.pictures import SAMPLE, ball, encoded
from testing.processes import parts
from testing.system import FORM, System, seen_by_a_client, started_with_fixed_engines
from testing.waiting import eventually

PHOTO = encoded(ball(160, 120)[0])


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started_with_fixed_engines(tmp_path_factory.mktemp("store"), {}) as running:
        yield running


def upload(system: System, key: str, photo: bytes = PHOTO) -> httpx.Response:
    files = {"product_image": ("flask.png", photo)}
    return system.client.post("/api/upload-image", files=files, headers={"Idempotency-Key": key})


def generate(system: System, key: str, of: dict[str, Any], **changes: str) -> httpx.Response:
    form = {**FORM, "product_image_filename": of["filename"], "timestamp": of["timestamp"], **changes}
    return system.client.post("/api/generate-product", data=form, headers={"Idempotency-Key": key})


def test_an_upload_sent_again_is_the_first_one(system: System) -> None:
    first = upload(system, "up-1").json()
    before = system.stored()
    assert upload(system, "up-1").json() == first
    assert system.stored() == before
    assert upload(system, "up-2").json() != first


def test_a_generation_sent_again_gives_the_first_record_and_runs_nothing(system: System) -> None:
    uploaded = upload(system, "up-3").json()
    first = generate(system, "gen-1", uploaded).json()
    eventually(lambda: any('"composition"' in line for line in system.lines))
    before, lines = system.stored(), len(system.lines)
    assert generate(system, "gen-1", uploaded).json() == first
    assert system.stored() == before
    assert not any('"composition"' in line or '"background"' in line for line in system.lines[lines:])
    assert generate(system, "gen-2", uploaded).json()["request_id"] != first["request_id"]


def test_another_request_under_the_same_key_is_rejected(system: System) -> None:
    uploaded = upload(system, "up-4").json()
    generate(system, "gen-3", uploaded)
    changed = generate(system, "gen-3", uploaded, product_name="another")
    assert changed.status_code == 422
    assert changed.json()["detail"].startswith("This key was used for another request")
    assert upload(system, "up-4", SAMPLE.read_bytes()).status_code == 422
    assert upload(system, "gen-3").status_code == 422


def test_a_failed_request_may_be_sent_again_with_its_key(system: System) -> None:
    assert [upload(system, "up-5", b"no picture").status_code for _ in range(2)] == [400, 400]
    uploaded = upload(system, "up-6").json()
    assert generate(system, "gen-4", uploaded, sizes="12x12").status_code == 400
    assert generate(system, "gen-4", uploaded, sizes="12x12").status_code == 400


def test_of_two_at_one_time_one_works_and_the_other_is_told_to_wait(system: System) -> None:
    uploaded = upload(system, "up-7").json()
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(generate(system, "gen-5", uploaded))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 200
    assert set(statuses) <= {200, 409}
    assert len({answer.json()["request_id"] for answer in answers if answer.status_code == 200}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert "wait for its response" in answer.json()["detail"]
            assert answer.headers["retry-after"]
    history = system.client.get("/api/history").json()
    assert [record["product_image_filename"] for record in history].count(uploaded["filename"]) == 1


@pytest.mark.parametrize("key", ["with a space", "x" * 151, "é"])
def test_a_malformed_key_is_rejected(system: System, key: str) -> None:
    files = {"product_image": ("flask.png", PHOTO)}
    answer = system.client.post("/api/upload-image", files=files, headers={b"Idempotency-Key": key.encode()})
    assert answer.status_code == 422
    assert "idempotency-key" in answer.json()["detail"].lower()


def test_a_request_is_held_while_it_is_worked_on_and_soon_free_when_its_gateway_dies(tmp_path: Path) -> None:
    settings = {"HISTORY_RENEWED_LEASE_SECONDS": "2", "FIXED_SECONDS": "1.5"}
    with (
        parts(tmp_path, settings) as running,
        seen_by_a_client(running, tmp_path) as system,
        ThreadPoolExecutor(1) as pool,
    ):
        uploaded = upload(system, "up").json()
        first = pool.submit(generate, system, "gen", uploaded)
        while not first.done():
            time.sleep(0.5)
            again = generate(system, "gen", uploaded)
            assert again.status_code in (409, 200)
        assert again.status_code == 409 or again.json() == first.result().json()
        assert first.result().status_code == 200

        lost = pool.submit(generate, system, "other", uploaded)
        time.sleep(1)
        running.gateway.kill()
        assert isinstance(lost.exception(), httpx.TransportError)
        running.gateway.start()
        eventually(lambda: generate(system, "other", uploaded).status_code == 200)
        assert len(system.client.get("/api/history").json()) == 2
