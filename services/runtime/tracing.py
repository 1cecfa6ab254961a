"""Traces: one per request, through every process it passes; off unless a collector is named.

Trace context travels in headers and metadata as https://www.w3.org/TR/trace-context/ says.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from services.runtime.settings import TraceSettings
from services.runtime.version import VERSION

_tracer: trace.Tracer | None = None


def configure_tracing(settings: TraceSettings, process: str) -> None:
    """Send the spans of this process to the collector of the settings, if there is one.

    Args:
        settings: The collector.
        process: The name of this process.
    """
    global _tracer  # set once, at start
    if settings.traces_endpoint is None:
        return
    provider = TracerProvider(resource=Resource({"service.name": process, "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.traces_endpoint)))
    _tracer = provider.get_tracer("product-image-generator")


def is_on() -> bool:
    """Tell whether traces are told to anybody."""
    return _tracer is not None


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, caller: Mapping[str, str] | None = None, **attributes: str
) -> Iterator[None]:
    """Do something as a part of the trace. Errors are marked, not told: their texts may quote what users sent.

    Args:
        name: What is done.
        kind: Its side of a call.
        caller: The headers or metadata of the call that this answers.
        attributes: More about it.
    """
    if _tracer is None:
        yield
        return
    parent = None if caller is None else propagate.extract(caller)
    with _tracer.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException:
            current.set_status(StatusCode.ERROR)
            raise


def trace_headers() -> dict[str, str]:
    """Give what a call has to carry for its trace to go on; nothing outside a trace."""
    carrier: dict[str, str] = {}
    if _tracer is not None:
        propagate.inject(carrier)
    return carrier


def add_trace_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Put the id of the trace on a log line: a processor of structlog."""
    if _tracer is not None and (context := trace.get_current_span().get_span_context()).is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event
