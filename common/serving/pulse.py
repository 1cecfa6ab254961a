"""Whether a process serves, asked from outside its event loop."""

import asyncio
import threading

ANSWERS_SECONDS = 2.0
"""How long an event loop may take to answer."""


class Pulse:
    """Beats while a process serves and its event loop answers."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Beat from now on; called in the event loop."""
        self._loop = asyncio.get_running_loop()

    def end(self) -> None:
        """Beat no more."""
        self._loop = None

    def beats(self) -> bool:
        """Return whether the process serves. Waits for its event loop for ANSWERS_SECONDS at most."""
        loop, answered = self._loop, threading.Event()
        if loop is None:
            return False
        try:
            loop.call_soon_threadsafe(answered.set)
        except RuntimeError:  # it is closed
            return False
        return answered.wait(ANSWERS_SECONDS)
