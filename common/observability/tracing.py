"""Traces: one per request, through every process it passes; off unless a collector is configured.

Trace context is propagated in headers and metadata: https://www.w3.org/TR/trace-context/
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from common.settings import TraceSettings

_tracer: trace.Tracer | None = None


def configure_tracing(settings: TraceSettings, process: str) -> None:
    """Export the spans of this process to the configured collector, if any.

    Args:
        settings: Endpoint of the collector.
        process: Name of this process, such as "gateway".
    """
    global _tracer  # set once, at start
    if settings.traces_endpoint is not None:
        from common.observability.trace_export import tracer_to

        _tracer = tracer_to(settings.traces_endpoint, process)


def is_on() -> bool:
    """Return whether spans are exported."""
    return _tracer is not None


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, caller: Mapping[str, str] | None = None, **attributes: str
) -> Iterator[None]:
    """Run a block as a span. Errors set the status only: their texts may quote user input.

    Args:
        name: Name of the span.
        kind: Client, server or internal.
        caller: Headers or metadata of the incoming call, to continue its trace.
        attributes: Attributes of the span; never user input.
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
    """Return the headers that continue the current trace in another process; empty outside a trace."""
    carrier: dict[str, str] = {}
    if _tracer is not None:
        propagate.inject(carrier)
    return carrier


def add_trace_id(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Add the trace id to a log line; a structlog processor."""
    if _tracer is not None and (context := trace.get_current_span().get_span_context()).is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
    return event
