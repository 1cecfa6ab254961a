"""Surfaces and things: of everything in a picture, what things stand on, and what stands there.

A thing that stands on a surface shows it just below its foot. So each thing votes for the wide segment below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.segmentation.detection.everything import Segment
from services.segmentation.engines.base import Box

Lab = NDArray[np.float32]

LARGE, WIDE = 0.04, 0.3
"""Least area and width of a surface, as fractions of the picture."""
BORDER = 2
"""Distance from the edge of the picture at which a segment touches it, in pixels."""
TOP_SHARE = 0.4
"""Part of the upper edge of the picture that a wall or the sky takes."""
FROM_ABOVE = 0.7
"""Least part of a picture that a surface takes which is seen from above."""
LEVEL = 0.12
"""Height of a thing's foot, as a fraction of its own."""
BELOW = 0.02
"""How far below the foot to look, as a fraction of the picture's height."""
HELD = 0.5
"""Part of what is below a thing that must be the surface."""
ALIKE = 9.0
"""Colour difference (CIE76) of adjacent parts of one surface, such as planks."""
INSIDE, OTHER = 0.5, 30.0
"""A segment that lies within a wider one by more than this part of it is a part of that, such as a plank; unless its
colour is so different (CIE76)."""
BAND = 0.025
"""Height of the bands that are compared above and below a line, as a fraction of the picture's height."""
LINE = 0.6
"""Least length of the line that ends a surface, as a fraction of the surface's width."""
MIN_STEP, CLEAR = 7.0, 3.0
"""Colour change across that line: CIE76, and as a multiple of the median row's."""
LOWEST_TOP = 0.9
"""A surface that begins below this fraction of the picture's height has no room for anything."""


@dataclass(frozen=True)
class Surface:
    """What something can stand on.

    Attributes:
        mask: (h, w) bool; without what stands on it.
        score: How sure it is, 0 to 1: more if things stand there.
    """

    mask: Mask
    score: float


@dataclass(frozen=True)
class Layout:
    """What is in a picture.

    Attributes:
        things: Masks of the things, largest first.
        surfaces: The surfaces, best first.
    """

    things: Sequence[Mask]
    surfaces: Sequence[Surface]


def find_layout(picture: Pixels, segments: Sequence[Segment]) -> Layout:
    """Tell surfaces and things apart.

    Args:
        picture: (h, w, 3).
        segments: Everything in it.
    """
    shape = picture.shape[:2]
    wide = [segment for segment in segments if _may_be_surface(segment)]
    lab: Lab = np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
    small = [one for one in segments if _may_be_thing(one) and not any(_is_part(one, other, lab) for other in wide)]
    votes = _votes(_grouped(small, shape), wide)
    # What nothing stands on, and what does not run out of the picture, stands there itself: a sofa, a car.
    large = [one for one, count in zip(wide, votes, strict=True) if not count and _may_be_thing(one, whole=True)]
    things = _grouped([*small, *large], shape)
    votes = _votes(things, wide)
    level = [(one, count) for one, count in zip(wide, votes, strict=True) if one not in large and not _is_backdrop(one)]
    if not level:  # a surface that is seen from above fills the picture up to its upper edge
        level = [(one, count) for one, count in zip(wide, votes, strict=True) if one.mask.mean() >= FROM_ABOVE]
    surfaces = [Surface(segment.mask, _score(segment, count)) for segment, count in level]
    return Layout(things, _joined(lab, sorted(surfaces, key=lambda one: -one.score), things))


def _union(masks: Sequence[Mask], shape: tuple[int, ...]) -> Mask:
    together = np.zeros(shape, np.bool_)
    for mask in masks:
        together |= mask
    return together


def _votes(things: Sequence[Mask], wide: Sequence[Segment]) -> list[int]:
    """Return for each wide segment how many things stand on it."""
    votes = [0] * len(wide)
    for thing in things:
        for number, segment in enumerate(wide):
            votes[number] += _stands_on(thing, segment.mask)
    return votes


def _stands_on(thing: Mask, surface: Mask) -> bool:
    below = surface[_below(thing)]
    return bool(below.size and below.mean() >= HELD)


def _touches(box: Box, mask: Mask) -> tuple[bool, bool, bool, bool]:
    height, width = mask.shape
    return box.left < BORDER, box.top < BORDER, box.right > width - BORDER, box.bottom > height - BORDER


def _may_be_surface(segment: Segment) -> bool:
    height, width = segment.mask.shape
    box = segment.box
    is_large = segment.area >= LARGE * height * width and box.right - box.left >= WIDE * width
    return bool(is_large and box.top < LOWEST_TOP * height and box.bottom > height / 2)


def _is_backdrop(segment: Segment) -> bool:
    """Return whether a segment is a wall or the sky: it takes much of the upper edge."""
    return float(segment.mask[:BORDER].any(axis=0).mean()) >= TOP_SHARE


def _may_be_thing(segment: Segment, *, whole: bool = False) -> bool:
    left, top, right, bottom = _touches(segment.box, segment.mask)
    return not (left and right) and not (top and bottom) and not (whole and bottom)


def _is_part(segment: Segment, wide: Segment, lab: Lab) -> bool:
    """Return whether a segment is a part of a wider one, such as a plank: it lies within it, and is of its colour."""
    if segment is wide or wide.mask[segment.mask].mean() < INSIDE:
        return False
    around = wide.mask & ~segment.mask
    return bool(around.any() and np.linalg.norm(lab[segment.mask].mean(axis=0) - lab[around].mean(axis=0)) < OTHER)


def _grouped(segments: Sequence[Segment], shape: tuple[int, ...]) -> list[Mask]:
    """Join parts that touch: the shade, the stem and the foot of a lamp."""
    together = _union([segment.mask for segment in segments], shape)
    near = cv2.morphologyEx(together.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels = cv2.connectedComponents(near)
    groups = [np.asarray((labels == number) & together) for number in range(1, count)]
    return sorted(groups, key=lambda mask: -int(mask.sum()))


def _below(thing: Mask) -> Mask:
    """Return the pixels just below the foot of a thing."""
    height = thing.shape[0]
    box = Box.around(thing)
    foot = box.bottom - max(2, round(LEVEL * (box.bottom - box.top)))
    columns = np.flatnonzero(thing[foot : box.bottom].any(axis=0))
    lowest = height - 1 - np.argmax(thing[::-1, columns], axis=0)
    below = np.zeros_like(thing)
    gap = 2
    for column, row in zip(columns, lowest, strict=True):
        below[row + gap : row + gap + max(2, round(BELOW * height)), column] = True
    return below


def _score(segment: Segment, votes: int) -> float:
    height, width = segment.mask.shape
    rows = np.flatnonzero(segment.mask.any(axis=1))
    middle = float((segment.mask.sum(axis=1)[rows] * rows).sum() / segment.area / height)
    size = min(1.0, segment.area / (0.3 * height * width))
    return float(min(1.0, 0.35 * min(votes, 2) / 2 + 0.45 * size + 0.2 * middle))


def _joined(lab: Lab, surfaces: Sequence[Surface], things: Sequence[Mask]) -> list[Surface]:
    """Join adjacent surfaces of one colour, and take things out of them."""
    taken = _union(things, lab.shape[:2])
    joined: list[Surface] = []
    for surface in surfaces:
        colour = lab[surface.mask].mean(axis=0)
        wider = cv2.dilate(surface.mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        for number, other in enumerate(joined):
            if (wider & other.mask).any() and np.linalg.norm(colour - lab[other.mask].mean(axis=0)) < ALIKE:
                joined[number] = Surface(other.mask | surface.mask, other.score)
                break
        else:
            joined.append(surface)
    free = [(one.mask & ~taken, one.score) for one in joined]
    level = [Surface(_level_part(lab, mask, things), score) for mask, score in free if mask.any()]
    return [one for one in level if one.mask[len(one.mask) // 2 :].any()]


def _level_part(lab: Lab, mask: Mask, things: Sequence[Mask]) -> Mask:
    """Return a surface without its front, which clear level lines separate: the part on which most things stand.

    Where nothing stands, it is the largest part.
    """
    bounds = [0, *_level_lines(lab, mask), len(mask)]
    feet = [Box.around(thing).bottom for thing in things if _stands_on(thing, mask)]
    parts = [(low, high) for low, high in pairwise(bounds) if mask[low:high].any()]
    low, high = max(
        parts, key=lambda part: (sum(part[0] <= foot <= part[1] for foot in feet), int(mask[part[0] : part[1]].sum()))
    )
    level = np.zeros_like(mask)
    level[low:high] = mask[low:high]
    return level


def _level_lines(lab: Lab, mask: Mask) -> list[int]:
    """Return the rows at which a surface changes its colour sharply over most of its width."""
    band = max(2, round(BAND * len(mask)))
    wide = LINE * int(mask.any(axis=0).sum())
    rows = np.flatnonzero(mask.sum(axis=1) >= wide)
    steps = np.zeros(len(mask))
    for row in rows[(rows >= band) & (rows < len(mask) - band)]:
        columns = mask[row - band] & mask[row + band - 1] & mask[row]
        if columns.sum() < wide:
            continue
        above, below = lab[row - band : row, columns].mean(axis=0), lab[row : row + band, columns].mean(axis=0)
        sharp = np.linalg.norm(lab[row + 1, columns] - lab[row - 2, columns], axis=1)
        step = np.minimum(np.linalg.norm(below - above, axis=1), 1.5 * sharp)  # shadows end softly
        steps[row] = float(np.quantile(step, 1 - LINE))
    clear = max(MIN_STEP, CLEAR * float(np.median(steps[rows]))) if len(rows) else MIN_STEP
    peaks = [row for row in rows if steps[row] == steps[max(0, row - 2 * band) : row + 2 * band].max()]
    return [int(row) for row in peaks if steps[row] >= clear]
