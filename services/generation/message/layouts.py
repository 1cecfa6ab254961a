"""Layouts: where the product and each element of a message stand, by the proportions of an ad."""

import itertools
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from common.platforms import platforms
from services.generation.geometry import Box, Size

Side = Literal["left", "right", "above", "below"]
Element = Literal["logo", "headline", "price", "call_to_action", "legal"]
SIDES: tuple[Side, ...] = ("left", "above", "right", "below")
"""In the order of the edges of the product's part."""
MOVES = (0.0, 0.06, -0.06)
"""By how much the product may get more room than described at the expense of words, or less."""
MARGIN = 0.05
"""Space between words and the edge, as a fraction of the shorter side."""
LEAST_MARGIN = 5
"""The same in pixels, for strips."""


@dataclass(frozen=True)
class Area:
    """Where elements stand.

    Attributes:
        side: Side of the product.
        rows: Elements beside one another, from top to bottom.
        align: Where rows and lines stand.
    """

    side: Side
    rows: tuple[tuple[Element, ...], ...]
    align: Literal["start", "middle", "end"] = "start"

    @property
    def elements(self) -> tuple[Element, ...]:
        """All elements."""
        return tuple(element for row in self.rows for element in row)


@dataclass(frozen=True)
class Layout:
    """A layout.

    Attributes:
        name: Name, by where the headline stands.
        product: The product's part of the picture between the margins: left, top, right, bottom, 0 to 1.
        fill: How much of that part it takes at most.
        areas: Where the elements stand.
    """

    name: str
    product: tuple[float, float, float, float]
    fill: float
    areas: tuple[Area, ...]


@dataclass(frozen=True)
class Proportions:
    """The layouts for some proportions.

    Attributes:
        up_to: Width over height up to which they are used.
        lines: The most lines of a headline.
        layouts: The layouts.
    """

    up_to: float
    lines: int
    layouts: tuple[Layout, ...]


@cache
def all_proportions() -> dict[str, Proportions]:
    """Return the layouts of all proportions, from tall to wide."""
    text = Path(__file__).with_name("layouts.toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Proportions]).validate_python(tomllib.loads(text))


@cache
def layout_names() -> frozenset[str]:
    """Return the names of all layouts."""
    return frozenset(layout.name for one in all_proportions().values() for layout in one.layouts)


def layouts_for(ad: Size, name: str = "") -> Proportions:
    """Return the layouts for an ad: those of a name, or all if there are none of it."""
    found = next(one for one in all_proportions().values() if ad.aspect_ratio <= one.up_to)
    named = tuple(layout for layout in found.layouts if layout.name == name)
    return Proportions(found.up_to, found.lines, named or found.layouts)


@lru_cache(128)
def safe_zone(ad: Size) -> Box:
    """Return where words belong: within the margins, and clear of what platforms put over pictures of this size."""
    margin = max(LEAST_MARGIN, round(MARGIN * min(ad.width, ad.height)))
    left = top = bottom = margin
    for platform in platforms().values():
        for rule in platform.pictures:
            if (rule.width, rule.height) == (ad.width, ad.height):
                outside = (1 - rule.middle) / 2
                left = max(left, round(outside * ad.width))
                top = max(top, round(max(rule.top, outside) * ad.height))
                bottom = max(bottom, round(max(rule.bottom, outside) * ad.height))
    return Box(left, top, ad.width - left, ad.height - bottom)


def product_frames(layout: Layout, ad: Size) -> Iterator[Box]:
    """Return parts of an ad for the product: as described first, then with each border to words moved either way.

    It may reach into what platforms cover, but not to the very edge; words below it stay above what is covered.
    """
    safe, margin = safe_zone(ad), max(2, round(MARGIN / 2 * min(ad.width, ad.height)))
    borders = [SIDES.index(side) for side in SIDES if any(area.side == side for area in layout.areas)]
    ends_safe = SIDES.index("below") in borders and safe.bottom < 0.9 * ad.height
    whole = (
        *(margin, safe.top if ends_safe else min(safe.top, ad.height // 8)),
        *(ad.width - margin, safe.bottom if ends_safe else ad.height - margin),
    )
    across, down = whole[2] - whole[0], whole[3] - whole[1]
    for moves in itertools.product(MOVES, repeat=len(borders)):
        edges = list(layout.product)
        for border, move in zip(borders, moves, strict=True):
            outwards = -move if border < 2 else move
            edges[border] = min(1.0, max(0.0, edges[border] + outwards))
        left, top, right, bottom = edges
        yield Box(
            round(whole[0] + left * across),
            round(whole[1] + top * down),
            round(whole[0] + right * across),
            round(whole[1] + bottom * down),
        )


def area_box(area: Area, ad: Size, product: Box) -> Box:
    """Return the rectangle of an area: from the product, and a gap, to the margin. It may be empty."""
    safe, gap = safe_zone(ad), max(LEAST_MARGIN, round(MARGIN * math.sqrt(ad.width * ad.height)))
    edges = {
        "left": (safe.left, safe.top, min(safe.right, product.left - gap), safe.bottom),
        "right": (max(safe.left, product.right + gap), safe.top, safe.right, safe.bottom),
        "above": (safe.left, safe.top, safe.right, min(safe.bottom, product.top - gap)),
        "below": (safe.left, max(safe.top, product.bottom + gap), safe.right, safe.bottom),
    }
    left, top, right, bottom = edges[area.side]
    return Box(left, top, max(left, right), max(top, bottom))
