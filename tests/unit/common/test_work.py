"""What blocking work knows about its call."""

import contextvars
import threading
import time

import pytest

from common.serving.work import AbandonedError, pause, set_abandoned
from productimage.context import FOREVER, seconds_left, set_deadline


@pytest.fixture
def context() -> contextvars.Context:
    return contextvars.copy_context()


def test_without_a_call_there_is_no_deadline(context: contextvars.Context) -> None:
    assert context.run(seconds_left) == FOREVER
    context.run(pause, 0.01)


def test_the_time_left_runs_out(context: contextvars.Context) -> None:
    context.run(set_deadline, time.monotonic() + 50)
    assert 40 < context.run(seconds_left) <= 50
    context.run(set_deadline, time.monotonic() - 1)
    assert context.run(seconds_left) == 0


def test_a_pause_that_would_outlast_the_deadline_is_not_begun(context: contextvars.Context) -> None:
    context.run(set_deadline, time.monotonic() + 20)
    with pytest.raises(AbandonedError):
        context.run(pause, 30)


def test_an_abandoned_pause_ends_at_once(context: contextvars.Context) -> None:
    event = threading.Event()
    context.run(set_abandoned, event)
    event.set()
    with pytest.raises(AbandonedError):
        context.run(pause, 30)
