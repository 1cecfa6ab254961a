"""Vocabulary of backgrounds: what to make, and what was made."""

from dataclasses import dataclass

from common.imaging.codec import Pixels
from services.generation.audience import Audience, Product, Terms
from services.generation.placement.placement import Placement


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
