"""Vocabulary of backgrounds: what to make, what was made, and where the product goes in it."""

from dataclasses import dataclass

from common.imaging.codec import Pixels
from services.generation.audience import Audience, Product, Terms
from services.generation.geometry import Box


@dataclass(frozen=True)
class SceneLight:
    """Main light of a scene, as the direction towards it.

    Attributes:
        right: Component to the right, as seen in the picture; the vector may have any length.
        up: Component upwards; positive.
        towards: Component towards the viewer; negative if the light comes from behind.
        shadow: Darkness of its shadows, 0 to 1.
    """

    right: float = 0.0
    up: float = 1.0
    towards: float = 0.5
    shadow: float = 0.3


@dataclass(frozen=True)
class Placement:
    """Where the product goes in a background, and how light falls there.

    Attributes:
        box: Box for the product, in background pixels; it stands on the bottom edge.
        light: Main light.
        reflectance: Fraction of light that the floor reflects, 0 to 1.
        estimated: Whether the box was found by analysing the picture.
        stand_in: Whether the picture was asked to contain a stand-in for the product.
    """

    box: Box
    light: SceneLight = SceneLight()
    reflectance: float = 0.0
    estimated: bool = False
    stand_in: bool = False


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
        prompt: Prompt it was made from.
        engine: Engine that made it.
    """

    pixels: Pixels
    placement: Placement
    prompt: str
    engine: str


@dataclass(frozen=True)
class RenderedSet:
    """A background that is rendered when the ads are composed, with the product in it.

    Attributes:
        product: Product that will stand in it.
        audience: Audience of the ad.
        terms: Product and audience in English, if known.
        seed: The same seed gives the same set and the same pictures.
    """

    product: Product
    audience: Audience
    terms: Terms | None
    seed: int
