"""Micro-batching: inputs that arrive from several threads at about the same time run as one batch."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, Queue
from threading import Thread

import structlog
import torch
from prometheus_client import Histogram
from torch import Tensor

log = structlog.get_logger()

BATCH_SIZE = Histogram(
    "productimage_batch_size", "How many pictures were encoded together.", buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32)
)


class MicroBatcher:
    """Collects inputs from several threads and runs them as batches in its own thread.

    Args:
        run: Maps (B, ...) to (B, ...).
        max_size: Maximum batch size.
        wait_seconds: Time that the first input of a batch waits for others.
        example: An input, (1, ...), to run at every batch size first. Kernels are chosen once per size and thread,
            which can take seconds; inputs wait for it.
    """

    def __init__(
        self,
        run: Callable[[Tensor], Tensor],
        max_size: int,
        wait_seconds: float,
        example: Tensor | None = None,
    ) -> None:
        self._run = run
        self._max_size = max_size
        self._wait_seconds = wait_seconds
        self._example = example
        self._waiting: Queue[tuple[Tensor, Future[Tensor]]] = Queue()
        Thread(target=self._serve, name="batches", daemon=True).start()

    def __call__(self, one: Tensor) -> Tensor:
        """Run one input (1, ...) in a batch with those of other threads; block until its result (1, ...) is ready."""
        result: Future[Tensor] = Future()
        self._waiting.put((one, result))
        return result.result()

    def _warm(self, example: Tensor) -> None:
        try:
            with torch.inference_mode():
                for size in range(1, self._max_size + 1):
                    self._run(example.expand(size, *example.shape[1:]).contiguous())
        except Exception as error:  # noqa: BLE001 -- what fails again is told to the caller
            log.warning("batches not run ahead", error=type(error).__name__)

    def _serve(self) -> None:
        if self._example is not None:
            self._warm(self._example)
        while True:
            batch = self._collect()
            BATCH_SIZE.observe(len(batch))
            try:
                with torch.inference_mode():
                    outputs = torch.split(self._run(torch.cat([one for one, _ in batch])), 1)
            except Exception as error:  # noqa: BLE001 -- every caller raises it
                for _, result in batch:
                    result.set_exception(error)
                continue
            for (_, result), output in zip(batch, outputs, strict=True):
                # Copied: a view would keep the whole batch in memory.
                result.set_result(output.clone())

    def _collect(self) -> list[tuple[Tensor, Future[Tensor]]]:
        batch = [self._waiting.get()]
        deadline = time.monotonic() + self._wait_seconds
        while len(batch) < self._max_size:
            try:
                batch.append(self._waiting.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:
                break
        return batch
