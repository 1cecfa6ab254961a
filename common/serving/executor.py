"""Threads for blocking work, with a short queue in front that rejects rather than grows."""

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from common.errors import OverloadedError
from common.observability.metrics import SECONDS
from common.serving.pixels import PixelBudget
from common.serving.work import set_abandoned

QUEUE_WAIT_SECONDS = Histogram(
    "productimage_queue_wait_seconds", "Time that blocking work waited for a thread.", buckets=SECONDS
)
QUEUED = Gauge("productimage_queued", "Blocking jobs that run or wait for a thread.")
REFUSED = Counter("productimage_queue_refused", "Blocking jobs that were rejected because the queue was full.")

P = ParamSpec("P")
T = TypeVar("T")


class BoundedExecutor:
    """Runs functions in a fixed number of threads.

    Args:
        workers: Number of threads.
        queue_size: Jobs that may wait for a thread.
        pixels: Pixels of pictures that all jobs may hold at a time. None: any number.
    """

    def __init__(self, workers: int, queue_size: int, pixels: int | None = None) -> None:
        self._pixels = PixelBudget(pixels or sys.maxsize)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="work")
        self._limit = workers + queue_size
        self._taken = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and wait for it.

        Cancelling the wait drops a job that has not started. A running job keeps its place until it ends, which it does
        early if it calls `work.pause`.

        Raises:
            OverloadedError: The queue is full; the function is not called.
        """
        if self._taken >= self._limit:
            REFUSED.inc()
            raise OverloadedError("The service is busy: try again in a few seconds.")
        self._taken += 1
        QUEUED.inc()
        loop = asyncio.get_running_loop()
        context, abandoned = contextvars.copy_context(), threading.Event()
        context.run(set_abandoned, abandoned)
        queued_at = time.perf_counter()

        def counted() -> T:
            with self._pixels.job():
                return function(*args, **kwargs)

        def work() -> T:
            QUEUE_WAIT_SECONDS.observe(time.perf_counter() - queued_at)
            return context.run(counted)

        future: Future[T] = self._pool.submit(work)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            abandoned.set()
            raise

    def _release(self) -> None:
        self._taken -= 1
        QUEUED.dec()

    def close(self) -> None:
        """Drop waiting jobs and wait for running ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)
