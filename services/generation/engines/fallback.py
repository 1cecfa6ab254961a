"""Copy that falls back to another engine."""

from dataclasses import replace

import structlog

from common.errors import ServiceError
from services.generation.copy.copy import Copy, CopyRequest
from services.generation.engines.base import CopyEngine

log = structlog.get_logger()


class FallbackCopy:
    """Writes with the first engine; if it fails, with the second, and says so in the note.

    Args:
        first: Preferred engine.
        second: Engine that does not fail.
    """

    def __init__(self, first: CopyEngine, second: CopyEngine) -> None:
        self.name = first.name
        self._first, self._second = first, second

    def write(self, request: CopyRequest) -> Copy:
        """See CopyEngine."""
        try:
            return self._first.write(request)
        except ServiceError as error:
            log.warning("copy fell back", engine=self._second.name, reason=error.reason)
            return replace(self._second.write(request), note=f"Written from templates. {error}")
