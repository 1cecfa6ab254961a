"""A budget of pixels in flight: a few huge pictures at one time must not fill the memory of a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from productimage.context import seconds_left

LONGEST_WAIT = 300
"""How long a job without a deadline waits for pixels, in seconds."""


class PixelBudget:
    """Pixels that jobs may hold at a time. Thread-safe.

    A job waits for its first picture only, so that no two jobs wait for each other; its other pictures are counted. One
    that is alone gets as much as it needs.

    Args:
        pixels: The budget.
    """

    def __init__(self, pixels: int) -> None:
        self._budget = pixels
        self._held = 0
        self._freed = threading.Condition()

    @contextmanager
    def job(self) -> Iterator[None]:
        """Run a job; the pixels that it reserves are given back at its end."""
        job = _Job(self)
        token = _current.set(job)
        try:
            yield
        finally:
            _current.reset(token)
            with self._freed:
                self._held -= job.held
                self._freed.notify_all()

    def reserve(self, job: "_Job", pixels: int) -> None:
        """Reserve pixels for a job, waiting until others give theirs back.

        Raises:
            TimeoutError: The deadline passed first.
        """
        with self._freed:
            fits = self._freed.wait_for(
                lambda: job.held or not self._held or self._held + pixels <= self._budget,
                timeout=min(seconds_left(), LONGEST_WAIT),
            )
            if not fits:
                raise TimeoutError
            job.held += pixels
            self._held += pixels


class _Job:
    """What one job holds."""

    def __init__(self, budget: PixelBudget) -> None:
        self.budget = budget
        self.held = 0


_current: ContextVar[_Job | None] = ContextVar("pixels", default=None)


def reserve_pixels(pixels: int) -> None:
    """Reserve pixels for the job in this context, if it has a budget; called before a picture is decoded.

    Raises:
        TimeoutError: The deadline passed first.
    """
    job = _current.get()
    if job is not None:
        job.budget.reserve(job, pixels)
