"""Engines that fall back to another one, and say so."""

from dataclasses import replace
from datetime import date

import structlog

from common.errors import OverloadedError, PreconditionError, ServiceError, UnavailableError
from services.generation.background.background import Background, BackgroundRequest, RenderedSet
from services.generation.copy.copy import Copy, CopyRequest
from services.generation.engines.base import BackgroundEngine, CopyEngine

log = structlog.get_logger()

FALLS_THROUGH = (UnavailableError, OverloadedError, PreconditionError)
"""Errors after which a set takes the place of an image model: it does not answer, is busy, or cannot be used. What its
filter refuses does not fall through: the user has to change it."""


class FallbackCopy:
    """Writes with the first engine; if it fails, with the second, and says so in the note.

    Args:
        first: Preferred engine.
        second: Engine that does not fail.
    """

    def __init__(self, first: CopyEngine, second: CopyEngine) -> None:
        self.name = first.name
        self._first, self._second = first, second

    def estimate(self, request: CopyRequest) -> float:
        """See CopyEngine."""
        return self._first.estimate(request)

    def ask_end(self) -> date | None:
        """See CopyEngine."""
        return self._first.ask_end()

    def write(self, request: CopyRequest) -> Copy:
        """See CopyEngine."""
        try:
            return self._first.write(request)
        except ServiceError as error:
            log.warning("copy fell back", engine=self._second.name, reason=error.reason)
            return replace(self._second.write(request), note=f"Written from templates. {error}")


class FallbackBackground:
    """Makes backgrounds with the first engine; after an error of FALLS_THROUGH with the second, and says so.

    Args:
        first: Preferred engine.
        second: Engine that does not fail.
    """

    def __init__(self, first: BackgroundEngine, second: BackgroundEngine) -> None:
        self.name = first.name
        self.dollars_per_picture = first.dollars_per_picture
        self._first, self._second = first, second

    def ask_end(self) -> date | None:
        """See BackgroundEngine."""
        return self._first.ask_end()

    def generate(self, request: BackgroundRequest) -> Background | RenderedSet:
        """See BackgroundEngine."""
        try:
            return self._first.generate(request)
        except FALLS_THROUGH as error:
            log.warning("background fell back", engine=self._second.name, reason=error.reason)
            made = self._second.generate(request)
            return replace(made, note=f"Rendered as a set. {error} {made.note}".strip())
