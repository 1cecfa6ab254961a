"""Layouts: where the product and each element of a message stand, by the proportions of an ad."""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from common.platforms import platforms
from services.generation.geometry import Box, Size

Side = Literal["left", "right", "above", "below"]
Element = Literal["logo", "headline", "price", "call_to_action", "legal"]
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


def product_frame(layout: Layout, ad: Size) -> Box:
    """Return the part of an ad for the product. It may reach into what platforms cover, but not to the very edge."""
    safe, margin = safe_zone(ad), max(2, round(MARGIN / 2 * min(ad.width, ad.height)))
    area = Box(margin, min(safe.top, ad.height // 8), ad.width - margin, ad.height - margin)
    if safe.bottom < 0.9 * ad.height:  # words below the product stay above what is covered
        area = Box(area.left, safe.top, area.right, safe.bottom)
    left, top, right, bottom = layout.product
    return Box(
        round(area.left + left * area.width),
        round(area.top + top * area.height),
        round(area.left + right * area.width),
        round(area.top + bottom * area.height),
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
