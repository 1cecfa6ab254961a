"""Threads for work that blocks, with a short queue in front that refuses rather than grows."""

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from services.runtime.errors import OverloadedError
from services.runtime.metrics import SECONDS
from services.runtime.work import set_abandoned

QUEUE_WAIT_SECONDS = Histogram(
    "productimage_queue_wait_seconds", "How long blocking work waited for a thread.", buckets=SECONDS
)
QUEUED = Gauge("productimage_queued", "Blocking work that runs or waits for a thread.")
REFUSED = Counter("productimage_queue_refused", "Blocking work that was refused because the queue was full.")

P = ParamSpec("P")
T = TypeVar("T")


class BoundedExecutor:
    """Runs functions in a fixed number of threads.

    Args:
        workers: How many run at one time.
        queue_size: How many more may wait.
    """

    def __init__(self, workers: int, queue_size: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="work")
        self._limit = workers + queue_size
        self._taken = 0

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run the function in a thread and wait for it, without holding up the event loop.

        Cancelling the wait drops work that has not started yet; work that has started keeps its place until it ends,
        which it does early if it pauses (see work.py).

        Raises:
            OverloadedError: The queue is full; the function was not and will not be called.
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

        def work() -> T:
            QUEUE_WAIT_SECONDS.observe(time.perf_counter() - queued_at)
            return context.run(function, *args, **kwargs)

        future: Future[T] = self._pool.submit(work)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_back))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            abandoned.set()
            raise

    def _give_back(self) -> None:
        self._taken -= 1
        QUEUED.dec()

    def close(self) -> None:
        """Drop what waits, and wait for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)
