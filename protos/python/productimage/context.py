"""Context of the request being served: its deadline and its id. Every call made inside it inherits both.

Both are context variables: they follow asyncio tasks, and threads started with `contextvars.copy_context`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FOREVER = float("inf")
REQUEST_ID = "x-request-id"
"""Metadata key and HTTP header of the request id."""

_deadline: ContextVar[float] = ContextVar("deadline", default=FOREVER)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def set_deadline(at: float) -> None:
    """Set the deadline of the current context, in seconds of `time.monotonic`."""
    _deadline.set(at)


def seconds_left() -> float:
    """Return the time until the deadline in seconds: 0 if it has passed, infinity if there is none."""
    return max(0.0, _deadline.get() - time.monotonic())


@contextmanager
def no_deadline() -> Iterator[None]:
    """Ignore the deadline inside, for work that must be done even after it, such as cleaning up."""
    token = _deadline.set(FOREVER)
    try:
        yield
    finally:
        _deadline.reset(token)


def set_request_id(request_id: str) -> None:
    """Set the request id that every call in the current context carries."""
    _request_id.set(request_id)


def current_request_id() -> str | None:
    """Return the request id of the current context, if any."""
    return _request_id.get()
