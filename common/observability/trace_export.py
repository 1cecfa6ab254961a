"""Export of spans to a collector. Only a process that has one loads this: it takes a third of a second."""

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from common.version import VERSION


def tracer_to(endpoint: str, process: str) -> Tracer:
    """Return a tracer whose spans go to a collector.

    Args:
        endpoint: URL of the collector (OTLP over gRPC).
        process: Name of this process.
    """
    provider = TracerProvider(resource=Resource({"service.name": process, "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
    return provider.get_tracer("product-image-generator")
