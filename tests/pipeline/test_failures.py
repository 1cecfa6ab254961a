"""Responses while a service is down, and what is left behind."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.ports import ROOT, Ports
from gateway.models import ManifestBody
from testing.pictures import ball, encoded
from testing.processes import Parts, parts, until_ready
from testing.system import FAST, System, seen_by_a_client
from testing.waiting import eventually

PHOTO = encoded(ball(160, 120)[0])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def running(store: Path) -> Iterator[Parts]:
    with parts(store) as started:
        yield started


@pytest.fixture
def system(running: Parts, store: Path) -> Iterator[System]:
    """Yield a system with an empty store, in which what an earlier test killed runs again."""
    running.history.stop()
    shutil.rmtree(store)
    for service in (running.history, running.engines):
        if service.has_ended:
            service.start()
    until_ready(running.gateway.url, [running.gateway])
    running.gateway.lines.clear()
    with seen_by_a_client(running, store) as seen:
        yield seen


def kill(system: System, name: str) -> None:
    os.kill(system.pids[name], signal.SIGKILL)


def unavailable(answer: httpx.Response, capability: str) -> None:
    assert answer.status_code == 503, answer.text
    detail = answer.json()["detail"]
    assert capability in detail
    assert not re.search(r"\d+\.\d+|localhost|grpc|connect", detail)
    assert answer.headers["retry-after"]


def test_generation_down_discards_a_first_upload_and_keeps_one_with_results(system: System) -> None:
    kept, lost = system.upload(PHOTO).json(), system.upload(PHOTO).json()
    record = system.generate(kept).json()
    assert record["engines"]["cut_out"] == "fixed"
    kill(system, "generation")
    start = time.monotonic()
    answer = system.generate(lost)
    assert answer.status_code == 503
    assert re.search("(copy|background) service", answer.json()["detail"])
    assert time.monotonic() - start < 30
    assert "upload the photo again" in answer.json()["detail"]
    assert not any(lost["timestamp"] in path for path in system.stored())
    assert system.generate(lost).status_code == 404
    assert system.generate(kept).status_code == 503
    for path in (kept["filename"], kept["trans_path"], *record["generated_images"]):
        assert system.client.get(f"/static/{path}").status_code == 200
    assert len(system.client.get("/api/history").json()) == 1


def test_the_status_leaves_out_the_engines_of_what_is_down(system: System) -> None:
    def status() -> dict[str, Any]:
        body: dict[str, Any] = system.client.get("/api/status").json()
        return body

    before = {engine["capability"] for engine in status()["engines"]}
    assert "storage" in before
    kill(system, "history")
    eventually(lambda: not status()["services"]["history"])
    assert status()["services"]["segmentation"]
    assert {engine["capability"] for engine in status()["engines"]} == before - {"storage"}


def test_segmentation_down_stores_nothing(system: System) -> None:
    kill(system, "segmentation")
    unavailable(system.upload(PHOTO), "cut-out")
    assert system.stored() == set()
    ready = system.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["services"]["segmentation"] is False
    assert ready.json()["services"]["history"] is True
    assert system.client.get("/healthz").status_code == 200


def test_history_down_is_told(system: System) -> None:
    kill(system, "history")
    unavailable(system.client.get("/api/history"), "history")
    unavailable(system.upload(PHOTO), "history")
    unavailable(system.client.get("/static/20200101000000/upload/x.png"), "history")
    assert system.client.get("/api/target-audiences").status_code == 200


@pytest.mark.parametrize("route", ["static", "history"])
def test_a_response_cut_off_halfway_is_told_by_its_connection_and_one_line_of_the_log(
    system: System, route: str
) -> None:
    upload = system.upload(PHOTO).json()
    picture = f"static/{upload['filename']}"
    record = json.dumps({"product_name": "x" * 1000, "write_date": "20261125093000", "generated_images": []})
    (system.store / picture).write_bytes(bytes(64 << 20))
    (system.store / "static/history_setting.json").write_text(f"[{','.join([record] * 30_000)}]")
    with system.client.stream("GET", {"static": picture, "history": "api/history"}[route]) as answer:
        assert answer.status_code == 200
        chunks = answer.iter_raw(1 << 20)
        next(chunks)
        kill(system, "history")
        with pytest.raises(httpx.RemoteProtocolError):
            list(chunks)
    assert system.client.get("/healthz").status_code == 200
    eventually(lambda: any("response cut off" in line for line in system.lines))
    assert not any("Traceback" in line for line in system.lines)


def test_the_record_on_disk_is_plain_json(system: System) -> None:
    record = system.generate(system.upload(PHOTO).json()).json()
    [stored] = json.loads((system.store / "static/history_setting.json").read_text(encoding="utf-8"))
    assert (
        ManifestBody.model_validate(record.pop("manifest")).software_version == stored["manifest"]["software_version"]
    )
    assert {name: stored[name] for name in record} == record


def environment(ports: Ports, store: Path) -> dict[str, str]:
    listening = {f"{name.upper()}_PORT": str(port) for name, port in vars(ports).items()}
    return {**os.environ, **FAST, **listening, "HISTORY_STORE": "disk", "HISTORY_DISK_DIR": str(store)}


def lines_until_ready(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready:"):
            return lines
    raise AssertionError("".join(lines))


def run(env: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-u", "-m", "cli", "serve"]
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_run_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    ports = Ports.free()
    env = environment(ports, tmp_path)
    with run(env) as first:
        lines = lines_until_ready(first)
        assert sum(line.startswith("ready:") for line in lines) == 1
        assert any(line.startswith("segmentation | ") for line in lines)
        assert httpx.get(f"http://127.0.0.1:{ports.gateway}/readyz", trust_env=False).status_code == 200
        with run(env) as second:
            assert second.stdout is not None
            said = second.stdout.read().splitlines()
            assert second.wait(30) == 1
            assert len(said) == 1
            assert f"port {ports.gateway}" in said[0]
        first.send_signal(signal.SIGINT)
        assert first.stdout is not None
        rest = first.stdout.read()
        assert first.wait(60) == 0
        assert "Traceback" not in rest
    ports.check_free()


def test_run_stops_all_when_one_process_dies(tmp_path: Path) -> None:
    ports = Ports.free()
    with run(environment(ports, tmp_path)) as process:
        lines_until_ready(process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        victim = next(pid for pid in children if "services.inpainting" in Path(f"/proc/{pid}/cmdline").read_text())
        os.kill(int(victim), signal.SIGKILL)
        assert process.stdout is not None
        rest = process.stdout.read()
        assert process.wait(60) == 1
        assert "inpainting ended" in rest.splitlines()[-1]
    ports.check_free()


def is_running(pid: str) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # a process that has ended, and is not waited for
    return False


def test_run_takes_all_with_it_when_it_is_killed(tmp_path: Path) -> None:
    ports = Ports.free()
    with run(environment(ports, tmp_path)) as process:
        lines_until_ready(process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 5
        process.kill()
        eventually(lambda: not any(is_running(child) for child in children), seconds=30)
    ports.check_free()
