"""Copy that falls back to another engine."""

import structlog

from common.errors import ServiceError
from services.generation.audience import Audience, Product
from services.generation.copy.copy import Copy
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

    def write(self, product: Product, audience: Audience, locale: str) -> Copy:
        """See CopyEngine."""
        try:
            return self._first.write(product, audience, locale)
        except ServiceError as error:
            log.warning("copy fell back", engine=self._second.name, reason=error.reason)
            copy = self._second.write(product, audience, locale)
            return Copy(copy.short_ad, copy.long_ad, copy.engine, note=f"Written from templates. {error}")
