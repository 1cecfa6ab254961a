"""Waiting for what another process or thread is about to do, such as a line in its log."""

import time
from collections.abc import Callable


def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait until a condition holds; fail when it does not within some seconds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
