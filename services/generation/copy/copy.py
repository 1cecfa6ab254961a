"""Copy: the words of an ad, and the rules that they follow."""

from dataclasses import dataclass

from services.generation.audience import Audience, Product, Terms

SHORT_LENGTH = range(50, 101)
"""Characters of the short copy."""
LONG_LENGTH = range(200, 301)
"""Characters of the long copy."""
HEADLINE_WIDTH = 30
"""The most half-widths of the headline on a picture, unless it is a name, which is not cut."""
NAME_WIDTH = 60
"""The most half-widths of a name as headline."""
CALL_WIDTH = 16
"""The most half-widths of the call to action on a picture."""
DEFAULT_LOCALE = "zh-TW"
LOCALES = (DEFAULT_LOCALE, "en")
TONES = ("lively", "calm")
"""Tones of brands. Without one, the audience's interest sets the tone."""


@dataclass(frozen=True)
class CopyRequest:
    """What to write.

    Attributes:
        product: All that may be said about it.
        audience: Whom to address.
        locale: One of LOCALES.
        platforms: Platforms whose text fields are wanted; see common.platforms.
        brand: Name of the advertiser; empty if unknown.
        tone: One of TONES; empty: that of the audience.
        seed: Another seed gives other words.
    """

    product: Product
    audience: Audience
    locale: str = DEFAULT_LOCALE
    platforms: tuple[str, ...] = ()
    brand: str = ""
    tone: str = ""
    seed: int = 0


@dataclass(frozen=True)
class TextField:
    """Texts for one field of a platform.

    Attributes:
        platform: Name of the platform, such as "google".
        name: Name of the field, such as "headline".
        texts: Different texts, each of which fits.
    """

    platform: str
    name: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """The copy of an ad.

    Attributes:
        short_ad: 50 to 100 characters, unless the note says otherwise.
        long_ad: 200 to 300 characters, unless the note says otherwise.
        headline: Headline for pictures, of at most HEADLINE_WIDTH half-widths, or the name, of at most NAME_WIDTH.
        call_to_action: Button for pictures, of at most CALL_WIDTH half-widths.
        engine: Engine that wrote it.
        fields: Texts for the platforms asked for.
        terms: Terms for the background prompt, if the engine translates.
        note: Remark for people; empty if there is none.
        dollars: What it cost, as far as it is known.
    """

    short_ad: str
    long_ad: str
    headline: str
    call_to_action: str
    engine: str
    fields: tuple[TextField, ...] = ()
    terms: Terms | None = None
    note: str = ""
    dollars: float = 0.0
