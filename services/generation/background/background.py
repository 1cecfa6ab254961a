"""Vocabulary of backgrounds: what to make, and what was made."""

from dataclasses import dataclass

from common.imaging.codec import Pixels
from services.generation.audience import Audience, Product, Terms
from services.generation.geometry import MessageZone
from services.generation.placement.placement import Placement


@dataclass(frozen=True)
class Preferences:
    """What a user asks of the picture around the product. Data, never instructions.

    Attributes:
        scene: What it is to show; empty: what suits the audience.
        avoid: What it is not to show.
        style: Name of a style of common.styles; empty: what suits the audience.
        colour: Colour of the brand, as #RRGGBB; empty: none.
        shadow: How much of the product's shadow and reflection a set shows, 0 (none) to 1 (all that its light makes).
    """

    scene: str = ""
    avoid: str = ""
    style: str = ""
    colour: str = ""
    shadow: float = 1.0


NO_PREFERENCES = Preferences()


@dataclass(frozen=True)
class Origin:
    """Where a picture comes from.

    Attributes:
        source_type: IPTC digital source type; empty if unknown.
        file: The file, if it carries content credentials.
    """

    source_type: str = ""
    file: bytes = b""


NO_ORIGIN = Origin()


@dataclass(frozen=True)
class BackgroundRequest:
    """What background to make.

    Attributes:
        product: Product that will stand in it.
        audience: Audience of the ad.
        aspect_ratio: Width over height, 1/4 to 4.
        seed: The same seed gives the same picture.
        terms: Product and audience in English, if known.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
        short_side: Target for the shorter side in pixels, for engines that can choose.
        preferences: What the user asks of it.
        zone: Where words will stand.
    """

    product: Product
    audience: Audience
    aspect_ratio: float
    seed: int
    terms: Terms | None = None
    product_aspect_ratio: float = 0.0
    short_side: int = 0
    preferences: Preferences = NO_PREFERENCES
    zone: MessageZone = "none"


@dataclass(frozen=True)
class Background:
    """A background.

    Attributes:
        pixels: (H, W, 3).
        placement: Where the product goes.
        prompt: Prompt it was made from.
        engine: Engine that made it.
        dollars: What it cost, as far as it is known.
        origin: Where the picture comes from.
        note: Remark for people; empty if there is none.
    """

    pixels: Pixels
    placement: Placement
    prompt: str
    engine: str
    dollars: float = 0.0
    origin: Origin = NO_ORIGIN
    note: str = ""


@dataclass(frozen=True)
class RenderedSet:
    """A background that is rendered when the ads are composed, with the product in it.

    Attributes:
        product: Product that will stand in it.
        audience: Audience of the ad.
        terms: Product and audience in English, if known.
        seed: The same seed gives the same set and the same pictures.
        preferences: What the user asks of the picture.
        note: Remark for people; empty if there is none.
        engine: Engine that renders it.
        name: Name of the set; empty, or one that is not installed: one is chosen.
    """

    product: Product
    audience: Audience
    terms: Terms | None
    seed: int
    preferences: Preferences = NO_PREFERENCES
    note: str = ""
    engine: str = "set"
    name: str = ""
