"""What blocking work may know of its call: how long it may still take, and whether anybody still waits for it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FOREVER = float("inf")

_deadline: ContextVar[float] = ContextVar("deadline", default=FOREVER)
_abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)


class AbandonedError(Exception):
    """Nobody waits for the work any more: its caller went away, or its deadline passed."""


def set_deadline(at: float) -> None:
    """Say until when the work of this call is wanted, by time.monotonic()."""
    _deadline.set(at)


@contextmanager
def no_deadline() -> Iterator[None]:
    """Do something that is wanted even when the deadline has passed, such as cleaning up."""
    token = _deadline.set(FOREVER)
    try:
        yield
    finally:
        _deadline.reset(token)


def set_abandoned(event: threading.Event) -> None:
    """Give the event that says that nobody waits any more."""
    _abandoned.set(event)


def seconds_left() -> float:
    """Give the time until the deadline, 0 when it has passed, infinity when there is none."""
    return max(0.0, _deadline.get() - time.monotonic())


def pause(seconds: float) -> None:
    """Wait, as between two tries.

    Raises:
        AbandonedError: Nobody waits any more, or the deadline comes before the pause is over.
    """
    if seconds >= seconds_left():
        raise AbandonedError
    event = _abandoned.get()
    if event is None:
        time.sleep(seconds)
    elif event.wait(seconds):
        raise AbandonedError
