"""What a background engine is."""

from dataclasses import dataclass
from typing import Protocol

from services.generation.audience import Audience, Product, Terms
from services.runtime.image import Pixels


@dataclass(frozen=True)
class Zone:
    """The room for the product in a background, in its pixels; the product stands on its bottom edge."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class SceneLight:
    """The main light, by the direction towards it as seen in the picture.

    Attributes:
        right: To the right; of any length.
        up: Upwards; positive.
        towards: Towards the viewer; negative when the light comes from behind.
        shadow: How dark its shadows are, 0 to 1.
    """

    right: float = 0.0
    up: float = 1.0
    towards: float = 0.5
    shadow: float = 0.3


@dataclass(frozen=True)
class Placement:
    """Where the product goes, and how the light falls there.

    Attributes:
        zone: Where.
        light: The light.
        reflectance: How much of the product the floor mirrors, 0 to 1.
        estimated: Whether the zone was found by looking at the picture.
        stand_in: Whether the picture was asked to hold an object whose place is the product's.
    """

    zone: Zone
    light: SceneLight = SceneLight()
    reflectance: float = 0.0
    estimated: bool = False
    stand_in: bool = False


@dataclass(frozen=True)
class Wish:
    """What background is wanted.

    Attributes:
        product: What will stand in it.
        audience: Whom it is for.
        aspect_ratio: Its width over its height, 1/4 to 4.
        seed: The same gives the same picture.
        terms: Product and audience in English, if they are known.
        product_aspect_ratio: The product's width over its height; 0: not known.
        short_side: Pixels wanted on the shorter side, where an engine can choose.
    """

    product: Product
    audience: Audience
    aspect_ratio: float
    seed: int
    terms: Terms | None = None
    product_aspect_ratio: float = 0.0
    short_side: int = 0


@dataclass(frozen=True)
class Background:
    """A background.

    Attributes:
        pixels: (H, W, 3).
        placement: Where the product goes.
        prompt: The words it was made from.
        engine: What made it.
    """

    pixels: Pixels
    placement: Placement
    prompt: str
    engine: str


class BackgroundEngine(Protocol):
    """An engine that makes backgrounds. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    def generate(self, wish: Wish) -> Background:
        """Make a background."""
