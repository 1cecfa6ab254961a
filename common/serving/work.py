"""What blocking work may know of its call: whether anyone still waits for it."""

import threading
import time
from contextvars import ContextVar

from productimage.context import seconds_left

_abandoned: ContextVar[threading.Event | None] = ContextVar("abandoned", default=None)


class AbandonedError(Exception):
    """Nobody waits for the work any more: its caller has gone, or its deadline has passed."""


def set_abandoned(event: threading.Event) -> None:
    """Set the event that tells the work in this context that nobody waits for it any more."""
    _abandoned.set(event)


def pause(seconds: float) -> None:
    """Sleep, e.g. between attempts.

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
