"""Traces of the real processes, exported to a collector over OTLP/gRPC."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from testing.system import FAST, FORM, INSTANT, System, started
from testing.waiting import eventually

PROCESSES = ("GATEWAY", "SEGMENTATION", "INPAINTING", "GENERATION", "HISTORY")
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRET = "a-name-that-nobody-else-may-read"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps every span with the process that exported it."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    def Export(  # noqa: N802
        self, request: trace_service_pb2.ExportTraceServiceRequest, _context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        for told in request.resource_spans:
            process = next(one.value.string_value for one in told.resource.attributes if one.key == "service.name")
            self.spans += [(process, span) for scope in told.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    server, collector = grpc.server(ThreadPoolExecutor(2)), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield collector, f"http://127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[System, list[tuple[str, Span]]]:
    """Make ads and stop; return the system and the spans of that generation."""
    with collecting() as (collector, address):
        traced = {f"{process}_TRACES_ENDPOINT": address for process in PROCESSES}
        levels = {f"{process}_LOG_FORMAT": "json" for process in PROCESSES}
        with started(tmp_path_factory.mktemp("store"), {**INSTANT, **traced, **levels}) as system:
            upload = system.upload().json()
            system.client.headers["traceparent"] = f"00-{TRACE}-b7ad6b7169203331-01"
            assert system.generate(upload, product_name=SECRET, sizes="").status_code == 200
            refused = system.generate({**upload, "timestamp": "1"})
            assert refused.status_code in (400, 404, 422)
            system.client.get("/healthz")
    return system, [(process, span) for process, span in collector.spans if span.trace_id.hex() == TRACE]


Told = tuple[System, list[tuple[str, Span]]]


def test_a_request_is_one_trace_through_all_that_it_passes(told: Told) -> None:
    spans = {span.span_id: (process, span) for process, span in told[1]}
    requests = [span for process, span in spans.values() if span.kind == Span.SPAN_KIND_SERVER and process == "gateway"]
    assert [span.name for span in requests] == ["HTTP POST", "HTTP POST"]
    every = {"gateway", "segmentation", "inpainting", "generation", "history"}
    assert {process for process, _ in spans.values()} == every, "all are asked what their results depend on"
    for process, span in spans.values():
        if span in requests:
            assert span.parent_span_id.hex() == "b7ad6b7169203331"
            continue
        parent_process, parent = spans[span.parent_span_id]
        above = ("stage ", "HTTP") if span.kind == Span.SPAN_KIND_SERVER else ("HTTP", "productimage.")
        assert parent.name.startswith(above), (span.name, parent.name)
        assert (parent_process == process) == (span.kind == Span.SPAN_KIND_INTERNAL)


def test_stages_and_engines_have_spans_of_their_own(told: Told) -> None:
    names = [span.name for _, span in told[1]]
    for stage in ("copy", "background", "composition", "history"):
        assert f"stage {stage}" in names
    assert names.count("engine set") == 2, "chosen once for all sizes, then rendered"
    assert "engine templates" in names


def test_what_failed_is_marked(told: Told) -> None:
    failed = sorted(span.name for _, span in told[1] if span.status.code == Status.STATUS_CODE_ERROR)
    assert failed == ["productimage.upload.v1.UploadService/GetUpload", "stage history"]


def test_nothing_of_what_users_say_is_told(told: Told) -> None:
    system, spans = told
    assert SECRET not in " ".join(str(span) for _, span in spans)
    assert not any(span.events for _, span in spans)
    lines = [line for line in system.lines if SECRET in line or FORM["product_describe"] in line]
    assert lines == []


def test_log_lines_name_their_trace(told: Told) -> None:
    def events() -> list[dict[str, str]]:
        return [json.loads(line[line.index("{") :]) for line in list(told[0].lines) if TRACE in line]

    eventually(lambda: {event["process"] for event in events()} >= {"gateway", "generation", "history"})
    assert all(event["trace_id"] == TRACE and event["request_id"] for event in events())


@pytest.mark.slow
def test_a_collector_that_is_away_costs_nothing(tmp_path: Path) -> None:
    nowhere = {f"{process}_TRACES_ENDPOINT": "http://127.0.0.1:1" for process in PROCESSES}
    with started(tmp_path, {**FAST, **nowhere}) as system:
        assert system.upload().status_code == 200
