"""Where things go: pure geometry, from the room in a background to the product's place in an ad."""

from dataclasses import dataclass

from services.generation.background.engine import Zone

MARGIN = 0.05
"""Kept free between the product and the ad's edges, as a part of the ad's size."""
LOWEST_STAND = 0.93
"""The product never stands lower than this, from the top of the ad."""
ROOMY = 0.8
"""A window has room for a zone that takes at most so much of its height."""


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
class Window:
    """The part of a background that an ad shows, in the background's pixels."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Place:
    """A rectangle in an ad, in whole pixels."""

    left: int
    top: int
    width: int
    height: int


def window_for(background: Size, zone: Zone, ad: Size) -> Window:
    """Give the largest part of the background in the ad's proportions, moved to where the product goes.

    It shows as much of the zone as it can; when the zone is too tall for it, the foot of the zone.
    """
    width = min(background.width, background.height * ad.aspect_ratio)
    height = width / ad.aspect_ratio
    left = (zone.left + zone.right) / 2 - width / 2
    # In the picture as it was made the product stands at a certain height. A lower window keeps that proportion, unless
    # there is too little height to leave much of it below the foot.
    fits = zone.bottom - zone.top <= ROOMY * height
    top = zone.bottom - height * min(zone.bottom / background.height if fits else 1, LOWEST_STAND)
    return Window(_within(left, background.width - width), _within(top, background.height - height), width, height)


def place_for(product: Size, zone: Zone, window: Window, ad: Size) -> Place:
    """Give the product's place: on the foot of the zone, as large as zone and margins allow, never squashed."""
    scale = ad.width / window.width
    foot = min((zone.bottom - window.top) * scale, ad.height * LOWEST_STAND)
    head = max((zone.top - window.top) * scale, ad.height * MARGIN)
    room_width = min((zone.right - zone.left) * scale, ad.width * (1 - 2 * MARGIN))
    fit = min(room_width / product.width, (foot - head) / product.height)
    width, height = max(1, round(product.width * fit)), max(1, round(product.height * fit))
    middle = ((zone.left + zone.right) / 2 - window.left) * scale
    left = _within(middle - width / 2, ad.width * (1 - MARGIN) - width, ad.width * MARGIN)
    return Place(round(left), max(0, round(foot) - height), width, height)


def _within(value: float, most: float, least: float = 0.0) -> float:
    return max(least, min(value, most))
