"""What a copy engine is, and the rules that its words keep."""

from dataclasses import dataclass
from typing import Protocol

from services.generation.audience import Audience, Product, Terms

SHORT_LENGTH = range(50, 101)
LONG_LENGTH = range(200, 301)
"""How many characters the short and the long ad may have."""
DEFAULT_LOCALE = "zh-TW"
LOCALES = (DEFAULT_LOCALE, "en")


@dataclass(frozen=True)
class Copy:
    """The words of an ad.

    Attributes:
        short_ad: 50 to 100 characters, unless the note says otherwise.
        long_ad: 200 to 300 characters, unless the note says otherwise.
        engine: What wrote them.
        terms: For the background's prompt, if the engine translates.
        note: What is not as it should be, for people.
    """

    short_ad: str
    long_ad: str
    engine: str
    terms: Terms | None = None
    note: str = ""


class CopyEngine(Protocol):
    """An engine that writes copy. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    def write(self, product: Product, audience: Audience, locale: str) -> Copy:
        """Write both ads in one of LOCALES."""
