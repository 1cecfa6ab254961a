"""One stage of a pipeline: its log line with the time it took, and its errors under the capability's name."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from gateway.errors import calling

log = structlog.get_logger()


@asynccontextmanager
async def stage(capability: str) -> AsyncIterator[None]:
    """Run a stage.

    Raises:
        ApiError: A call inside failed.
    """
    start = time.perf_counter()
    async with calling(capability):
        yield
    log.info("stage", stage=capability, seconds=round(time.perf_counter() - start, 3))
