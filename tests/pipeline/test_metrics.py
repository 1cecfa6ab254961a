"""Metrics of the real processes as Prometheus scrapes them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.ports import Ports
from testing.pictures import SAMPLE
from testing.processes import Parts, Process, parts
from testing.system import FORM

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    free = Ports.free()
    return {"GATEWAY": free.gateway, "HISTORY": free.history, "FIXED": free.generation}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Parts]:
    environment = {f"{name}_METRICS_PORT": str(port) for name, port in ports.items()}
    with parts(tmp_path_factory.mktemp("store"), environment) as started:
        with httpx.Client(base_url=started.gateway.url, trust_env=False, timeout=30) as client:
            upload = client.post("/api/upload-image", files={"product_image": ("a.jpg", SAMPLE.read_bytes())}).json()
            form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
            record = client.post("/api/generate-product", data=form).json()
            for _ in range(2):
                client.get(f"/static/{record['generated_images'][0]}")
            client.get("/api/nothing")
            client.request("INVENT", "/api/nothing")
        yield started


def read(port: int) -> Samples:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_the_gateway_counts_requests_stages_and_pictures(running: Parts, ports: dict[str, int]) -> None:
    samples = read(ports["GATEWAY"])
    assert running.gateway.pid
    count = "productimage_request_seconds_count"
    assert value(samples, count, method="POST", route="/api/generate-product", status="200") == 1
    assert value(samples, count, method="GET", route="/static/{path:path}", status="200") == 2
    assert value(samples, count, method="GET", route="none", status="404") == 1
    assert not any(("method", "INVENT") in labels for _, labels in samples)
    assert value(samples, "productimage_stage_seconds_count", stage="background", engine="fixed") == 2
    assert value(samples, "productimage_pictures_total", source="history") == 1
    assert value(samples, "productimage_pictures_total", source="memory") == 1


def test_the_services_count_calls_queues_and_the_ledger(running: Parts, ports: dict[str, int]) -> None:
    history, engines = read(ports["HISTORY"]), read(ports["FIXED"])
    assert running.history.pid
    assert value(history, "productimage_rpc_seconds_count", method="SaveGeneration", code="OK") == 1
    assert value(history, "productimage_ledger_added_total") == 1
    assert value(history, "productimage_ledger_writes_total", outcome="written") == 1
    assert value(history, "productimage_queue_wait_seconds_count") > 3
    assert value(history, "productimage_queued") == 0
    assert value(engines, "productimage_rpc_seconds_count", method="CutOut", code="OK") == 1
    assert value(engines, "productimage_rpcs_in_progress") == 0
    assert value(engines, "productimage_queue_refused_total") == 0


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {"HISTORY_STORE": "disk", "HISTORY_DISK_DIR": str(tmp_path), "HISTORY_METRICS_PORT": str(port)}
        process = Process("services.history", Ports.free().history, environment)
        with pytest.raises(AssertionError, match=f"port {port} cannot be used for metrics"):
            process.start()
        process.stop()
