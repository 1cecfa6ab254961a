"""Placement on a surface that is known, clear of the things that are known to stand there.

Sizes follow the perspective of the surface: what stands twice as far below the horizon shows twice as large.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product as combinations

import cv2
import numpy as np

from common.imaging.codec import Mask
from services.generation.geometry import Box, Size
from services.generation.placement.found import Found, Thing
from services.generation.stance import Stance

WORKING_SIDE = 256
"""Longer side of the picture during the search, in pixels."""
HORIZON = 0.9
"""How far above the top of a surface the horizon is taken to be, in heights of the visible surface."""
LOWEST_HORIZON = 0.45
"""As a fraction of the picture's height."""
LENS = 1.25
"""Focal length over the longer side of the picture, of a usual lens."""
LEAST_PITCH = 0.12
"""Angle by which a camera looks down at least, in radians, where a surface shows at all."""
COMPANY: dict[Stance, float] = {"standing": 1.25, "large": 1.7, "outdoors": 1.7, "hanging": 1.25, "lying": 1.25}
"""Size of the product over that of the things on the same surface, at the same depth, by how it is shown."""
ALONE = 0.36
"""Size of the product, as a fraction of the picture's shorter side, where nothing else is."""
SIZES = (0.24, 0.62)
"""Bounds of that size."""
TYPICAL_FOOT = 0.8
"""Height of the foot, from the top, that pictures look best with; as a fraction of theirs."""
STEPS = 26
"""Places that are tried along each side of the picture."""
SCALES = (1.0, 0.85, 1.15, 0.7)
"""Sizes that are tried, over the right one; the others cost."""
DEEP, BEFORE = 0.14, 0.06
"""Depth of the product's foot as it shows, and of the free surface before it, as fractions of its width: for a camera
that looks down slightly."""
MARGIN = 0.03
"""Between the product and the edges of the picture, as a fraction of its sides."""
HIDDEN = 0.5
"""Depth of the surface that a thing hides at its foot, as a fraction of its width."""
ON_SURFACE = 0.97
"""Part of the foot that must be on the surface."""
IN_FRONT, AT_FOOT, BEHIND = 0.01, 0.01, 0.5
"""Part of the product's box that things before it may take, of its foot that any may, and of its box things behind."""
APART = 0.06
"""Free space beside the product, as a fraction of its width."""
OFF_CENTRE, OFF_FOOT, OFF_SIZE, HIDES, TOWARDS_EDGE = 0.9, 0.6, 1.2, 2.5, 0.6
"""Costs: distance from the middle and from the typical foot, difference from the right size, hidden things, nearness to
the surface's edge."""


@dataclass(frozen=True)
class SurfacePlacement:
    """A place for the product.

    Attributes:
        box: Its box.
        removed: Indices of the things that must be removed for it.
        pitch: Angle by which the camera seems to look down on the surface, in radians.
        surface: The surface.
    """

    box: Box
    removed: tuple[int, ...]
    pitch: float
    surface: Mask


def place_on_surface(picture: Size, found: Found, ratio: float, stance: Stance) -> SurfacePlacement | None:
    """Place the product on the best surface that has room for it.

    Things anywhere in the picture are avoided first. Only where they leave no room, one is removed.

    Args:
        picture: Size of the picture.
        found: What was found in it, in a picture reduced to the working size.
        ratio: Width over height of the product.
        stance: How the product is shown.

    Returns:
        The place in the picture; None if no surface has room, even if a thing is removed.
    """
    for surface in found.surfaces:
        search = _Search(surface, found.things, ratio, stance)
        candidate, removed = search.best_candidate()
        if candidate is not None:
            across, down = picture.width / surface.shape[1], picture.height / surface.shape[0]
            box = candidate.box
            left, bottom = round(box.left * across), round(box.bottom * down)
            right, top = max(left + 1, round(box.right * across)), min(bottom - 1, round(box.top * down))
            in_picture = Box(left, top, right, bottom)
            return SurfacePlacement(in_picture, removed, search.pitch, surface)
    return None


@dataclass(frozen=True)
class _Candidate:
    """The middle of the product's foot, and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def box(self) -> Box:
        left, top = self.x - self.width / 2, self.y - self.height
        return Box(round(left), round(top), round(left + self.width), round(self.y))

    @property
    def deep(self) -> int:
        return max(2, round(DEEP * self.width))


class _Search:
    """The search on one surface."""

    def __init__(self, surface: Mask, things: Sequence[Thing], ratio: float, stance: Stance) -> None:
        self._height, self._width = int(surface.shape[0]), int(surface.shape[1])
        self._things = things
        self._ratio = ratio
        self._standing = [number for number, thing in enumerate(things) if thing.stands_on(surface)]
        self._surface = self._going_on_below(surface)
        rows = np.flatnonzero(self._surface.any(axis=1))
        top, bottom = float(rows[0]), float(rows[-1] + 1)
        self._horizon = min(top - HORIZON * (bottom - top), LOWEST_HORIZON * self._height)
        framed = cv2.copyMakeBorder(self._surface.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
        self._from_edge = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
        self._size_per_row = self._right_size(COMPANY[stance])

    @property
    def pitch(self) -> float:
        """Angle by which the camera seems to look down, in radians."""
        tangent = (self._height / 2 - self._horizon) / (LENS * max(self._width, self._height))
        return max(LEAST_PITCH, math.atan(tangent))

    def _going_on_below(self, surface: Mask) -> Mask:
        """Return the surface with what the feet of things hide of it."""
        whole = surface.copy()
        for number in self._standing:
            thing = self._things[number]
            foot = slice(max(0, thing.box.bottom - max(2, round(HIDDEN * thing.box.width))), thing.box.bottom)
            whole[foot] |= thing.mask[foot]
        return np.asarray(cv2.morphologyEx(whole.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)) > 0)

    def _right_size(self, company: float) -> float:
        """Return the root of the area of the product's box over the distance of its foot from the horizon."""
        sizes = [
            math.sqrt(thing.box.width * thing.box.height) / (thing.box.bottom - self._horizon)
            for number in self._standing
            if not (thing := self._things[number]).is_cut_off and thing.box.bottom > self._horizon + 1
        ]
        if sizes:
            return company * float(np.median(sizes))
        return float(ALONE * min(self._width, self._height) / (TYPICAL_FOOT * self._height - self._horizon))

    def _candidate(self, x: float, y: float, scale: float) -> _Candidate:
        least, most = (part * min(self._width, self._height) for part in SIZES)
        size = float(np.clip(scale * self._size_per_row * (y - self._horizon), least, most))
        return _Candidate(x, y, size * math.sqrt(self._ratio), size / math.sqrt(self._ratio))

    def best_candidate(self) -> tuple[_Candidate | None, tuple[int, ...]]:
        """Return the best candidate, and what must be removed for it: usually nothing."""
        candidate = self.best(frozenset())
        return (candidate, ()) if candidate is not None else self.in_place_of_a_thing()

    def best(self, without: frozenset[int]) -> _Candidate | None:
        """Return the best candidate that is clear of things, except those that are to be removed."""
        best, least = None, math.inf
        xs, ys = (np.linspace(0.06, 0.97, STEPS) * side for side in (self._width, self._height))
        for scale, x, y in combinations(SCALES, xs, ys):
            candidate = self._candidate(float(x), float(y), scale)
            hides = self._hides(candidate, without) if self._fits(candidate) else None
            if hides is None:
                continue
            cost = self._cost(candidate, scale) + HIDES * hides
            if cost < least:
                best, least = candidate, cost
        return best

    def in_place_of_a_thing(self) -> tuple[_Candidate | None, tuple[int, ...]]:
        """Return a candidate that one thing leaves, and that thing: the one nearest to the middle that leaves room."""

        def off_centre(number: int) -> float:
            box = self._things[number].box
            return abs((box.left + box.right) / 2 / self._width - 0.5)

        for number in sorted(self._standing, key=off_centre):
            if self._things[number].is_cut_off:
                continue
            candidate = self.best(frozenset([number]))
            if candidate is not None:
                return candidate, (number,)
        return None, ()

    def _fits(self, candidate: _Candidate) -> bool:
        box = candidate.box
        aside, down = MARGIN * self._width, MARGIN * self._height
        if box.left < aside or box.right > self._width - aside or box.top < down or box.bottom > self._height - down:
            return False
        if not box.is_within(Size(self._width, self._height)):
            return False
        before = max(2, round(BEFORE * candidate.width))
        foot = self._surface[max(0, box.bottom - candidate.deep) : box.bottom + before, box.left : box.right]
        return bool(foot.mean() >= ON_SURFACE)

    def _hides(self, candidate: _Candidate, without: frozenset[int]) -> float | None:
        """Return the part of the product's box that things behind it take; None if things are in the way."""
        box, aside = candidate.box, max(1, round(APART * candidate.width))
        columns = slice(max(0, box.left - aside), box.right + aside)
        foot = slice(max(0, box.bottom - 2 * candidate.deep), box.bottom + candidate.deep)
        taken = 0.0
        for number, thing in enumerate(self._things):
            if number in without:
                continue
            share = float(thing.mask[box.top : box.bottom, columns].mean())
            is_before = thing.box.bottom > box.bottom
            if (is_before and share > IN_FRONT) or float(thing.mask[foot, columns].mean()) > AT_FOOT:
                return None
            taken += share
        return taken if taken <= BEHIND else None

    def _cost(self, candidate: _Candidate, scale: float) -> float:
        box = candidate.box
        edge = float(self._from_edge[min(box.bottom, self._height - 1), box.left : box.right].min()) / candidate.width
        return float(
            OFF_CENTRE * max(0.0, abs(candidate.x / self._width - 0.5) - 0.08)
            + OFF_FOOT * abs(candidate.y / self._height - TYPICAL_FOOT)
            + OFF_SIZE * abs(math.log(scale))
            + TOWARDS_EDGE * max(0.0, 0.35 - edge)
        )
