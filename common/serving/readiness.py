"""Readiness: what keeps a process from being ready while it runs, checked at intervals.

A process that is not ready still takes calls, so that callers learn what is wrong.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

log = structlog.get_logger()

FIRST_SECONDS = 5
"""How long a start waits for the first check."""


@dataclass(frozen=True)
class Problem:
    """What keeps a process from being ready.

    Attributes:
        subject: What is not in order, such as a stored file.
        detail: What is wrong with it, as the rest of a sentence: "is missing".
        remedy: What an operator can do.
    """

    subject: str
    detail: str
    remedy: str


Check = Callable[[], Sequence[Problem]]
"""Looks for problems. Blocks."""


class SetHealth(Protocol):
    """Reports the health of a process."""

    async def __call__(self, *, serving: bool, ready: bool) -> None:
        """Report whether the process takes calls, and whether everything it depends on is in order."""


class Watch:
    """Checks at intervals whether a process is ready, and reports each change.

    Args:
        check: The check.
        interval_seconds: Time between two checks.
        set_health: Reports the health, after every change.

    Attributes:
        problems: What the last check found.
    """

    def __init__(self, check: Check, interval_seconds: float, set_health: SetHealth) -> None:
        self.problems: Sequence[Problem] = ()
        self._check = check
        self._interval = interval_seconds
        self._set_health = set_health
        self._first = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start checking, and wait a moment for the first result."""
        await self._set_health(serving=True, ready=True)
        self._task = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self._first.wait()
        except TimeoutError:
            log.info("the first check is still in progress")

    async def stop(self) -> None:
        """Stop checking, and report that the process does not serve any more."""
        if self._task is not None:
            self._task.cancel()
        await self._set_health(serving=False, ready=False)

    async def _watch(self) -> None:
        while True:
            try:
                found = await asyncio.to_thread(self._check)
            except Exception:
                log.exception("check failed")
            else:
                await self._note(found)
            self._first.set()
            await asyncio.sleep(self._interval)

    async def _note(self, found: Sequence[Problem]) -> None:
        if list(found) == list(self.problems):
            return
        self.problems = tuple(found)
        for problem in found:
            log.error("not ready", subject=problem.subject, problem=problem.detail, remedy=problem.remedy)
        if not found:
            log.info("ready again")
        await self._set_health(serving=True, ready=not found)
