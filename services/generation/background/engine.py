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
class Background:
    """A background.

    Attributes:
        pixels: (H, W, 3).
        zone: Where the product goes.
        prompt: The words it was made from.
        engine: What made it.
    """

    pixels: Pixels
    zone: Zone
    prompt: str
    engine: str


class BackgroundEngine(Protocol):
    """An engine that makes backgrounds. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    def generate(
        self, product: Product, audience: Audience, aspect_ratio: float, seed: int, terms: Terms | None
    ) -> Background:
        """Make a background whose width is aspect_ratio times its height (1/4 to 4)."""
