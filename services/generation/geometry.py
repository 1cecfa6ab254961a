"""Sizes, boxes and crops: pure geometry in pixels, from the top left corner."""

from dataclasses import dataclass
from typing import Literal

MessageZone = Literal["none", "left", "right", "above", "below"]
"""Where room is kept for words, seen from the product."""


@dataclass(frozen=True)
class Size:
    """A width and a height in pixels."""

    width: int
    height: int

    @property
    def aspect_ratio(self) -> float:
        """Width over height."""
        return self.width / self.height


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    def is_within(self, picture: Size) -> bool:
        """Return whether it has pixels, all of them in a picture of some size."""
        return 0 <= self.left < self.right <= picture.width and 0 <= self.top < self.bottom <= picture.height


@dataclass(frozen=True)
class Arrangement:
    """How a product is moved and scaled from where it would stand in a creative.

    Attributes:
        right: Shift as a fraction of the creative's width.
        down: Shift as a fraction of the creative's height.
        scale: Factor of its size, about the middle of its foot.
    """

    right: float = 0.0
    down: float = 0.0
    scale: float = 1.0


@dataclass(frozen=True)
class Crop:
    """The part of a background that a creative shows, in background pixels."""

    left: float
    top: float
    width: float
    height: float
