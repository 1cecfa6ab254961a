"""Metrics of calls to cloud models: duration, outcome and estimated cost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from common.observability.metrics import SECONDS

CLOUD_SECONDS = Histogram(
    "productimage_cloud_seconds",
    "How long calls to models in a cloud took, by the model and how they ended.",
    ["engine", "outcome"],
    buckets=SECONDS,
)
COST = Counter(
    "productimage_cloud_cost_dollars",
    "What calls to models in a cloud have cost, estimated by the prices of the settings.",
    ["engine"],
)


@contextmanager
def counted(engine: str) -> Iterator[None]:
    """Record the duration and outcome of the call made inside the context.

    Args:
        engine: Engine name as in records, such as "openai/gpt".
    """
    start, outcome = time.perf_counter(), "ok"
    try:
        yield
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        CLOUD_SECONDS.labels(engine, outcome).observe(time.perf_counter() - start)
