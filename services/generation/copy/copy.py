"""Copy: the words of an ad, and the rules that they follow."""

from dataclasses import dataclass

from services.generation.audience import Terms

SHORT_LENGTH = range(50, 101)
"""Characters of the short copy."""
LONG_LENGTH = range(200, 301)
"""Characters of the long copy."""
DEFAULT_LOCALE = "zh-TW"
LOCALES = (DEFAULT_LOCALE, "en")


@dataclass(frozen=True)
class Copy:
    """The copy of an ad.

    Attributes:
        short_ad: 50 to 100 characters, unless the note says otherwise.
        long_ad: 200 to 300 characters, unless the note says otherwise.
        engine: Engine that wrote it.
        terms: Terms for the background prompt, if the engine translates.
        note: Remark for people; empty if there is none.
    """

    short_ad: str
    long_ad: str
    engine: str
    terms: Terms | None = None
    note: str = ""
