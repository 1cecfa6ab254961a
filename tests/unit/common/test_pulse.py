"""Whether a process serves, as probes see it."""

import asyncio
import threading
import time

import pytest

from common.serving import pulse
from common.serving.pulse import Pulse


async def asked(of: Pulse) -> bool:
    return await asyncio.to_thread(of.beats)


async def test_it_beats_while_the_process_serves() -> None:
    heart = Pulse()
    assert not await asked(heart)
    heart.begin()
    assert await asked(heart)
    heart.end()
    assert not await asked(heart)


async def test_it_does_not_beat_while_the_event_loop_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "ANSWERS_SECONDS", 0.05)
    heart, answers = Pulse(), list[bool]()
    heart.begin()
    asking = threading.Thread(target=lambda: answers.append(heart.beats()))
    asking.start()
    time.sleep(0.3)  # noqa: ASYNC251  # it hangs
    asking.join()
    assert answers == [False]
    assert await asked(heart)


def test_it_does_not_beat_after_the_event_loop_has_ended() -> None:
    heart = Pulse()

    async def begin() -> None:
        heart.begin()

    asyncio.run(begin())
    assert not heart.beats()
