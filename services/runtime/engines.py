"""What happens around the work of every engine: it is timed, and a part of the trace."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Histogram

from services.runtime.metrics import SECONDS
from services.runtime.tracing import span

ENGINE_SECONDS = Histogram(
    "productimage_engine_seconds",
    "How long engines worked, without reading and writing pictures.",
    ["capability", "engine"],
    buckets=SECONDS,
)


@contextmanager
def at_work(capability: str, engine: str) -> Iterator[None]:
    """Let an engine work inside.

    Args:
        capability: What it is good for, such as "cut_out".
        engine: Its name, as records have it.
    """
    start = time.perf_counter()
    with span(f"engine {engine}", capability=capability):
        try:
            yield
        finally:
            ENGINE_SECONDS.labels(capability, engine).observe(time.perf_counter() - start)
