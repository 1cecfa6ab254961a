"""Placement search in arbitrary pictures: the calmest area on the floor.

Edges and saliency (Achanta et al., "Frequency-tuned Salient Region Detection", CVPR 2009) measure how busy an area is.
"""

import math
from itertools import product as combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.generation.geometry import Box
from services.generation.placement.light_estimation import side_light
from services.generation.placement.placement import Placement

Plane = NDArray[np.float32]

WORKING_SIDE = 192
"""Longer side of the picture during the search, in pixels."""
FEET = np.arange(0.56, 0.961, 0.03)
MIDDLES = np.arange(0.26, 0.741, 0.04)
HEIGHTS = (0.36, 0.44, 0.52, 0.6, 0.68)
"""Candidate placements: foot, centre and height, as fractions of the image sides."""
WIDEST = 0.84
HIGHEST = 0.05
"""Maximum width and minimum top of a placement, as fractions of the image sides."""
TYPICAL_RATIO = 0.8
"""Width over height of the placement if the proportions of the product are unknown."""
TYPICAL_FOOT = 0.78
STRIP = 0.07
"""Height of the strip below the foot that must be calm too, as a fraction of the image height."""
SIZE_WORTH, FOOT_WORTH, STRIP_COST, MIDDLE_COST = 0.6, 0.5, 1.2, 0.3
FLOOR_ROWS = (0.3, 0.92)
"""Range of the top of the floor, as fractions of the image height from the top."""
BAND = 0.04
"""Height of the bands compared above and below a line, as a fraction of the image height."""
MIN_STEP, CLEAR_LINE, LESSER_LINE = 6.0, 3.0, 0.35
"""Minimum colour change across a clear line: in CIE76, as a multiple of the median row, and as a fraction of the
clearest line."""
BELOW_LINE = 0.03
"""Minimum distance of the foot from the top of the floor, as a fraction of the image height."""


def find_placement(picture: Pixels, product_aspect_ratio: float = 0.0, things: Mask | None = None) -> Placement:
    """Find the calmest placement on the floor.

    Args:
        picture: (H, W, 3).
        product_aspect_ratio: Width over height of the product; 0 if unknown.
        things: Where things are to keep clear of, as far as they are known, (H, W).
    """
    height, width = picture.shape[:2]
    scale = WORKING_SIDE / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), np.float32)
    taken = np.zeros(lab.shape[:2], np.float32)
    if things is not None:
        taken = np.asarray(cv2.resize(things.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    place = _calmest(lab, product_aspect_ratio or TYPICAL_RATIO, taken)
    left, top, right, bottom = place * np.array([width, height, width, height])
    found = Box(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    return Placement(found, light=side_light(picture), estimated=True)


def _calmest(lab: Plane, ratio: float, taken: Plane) -> NDArray[np.float64]:
    """Return left, top, right and bottom of the best placement, as fractions of the image sides."""
    height, width = lab.shape[:2]
    edges = _edges(lab[..., 0])
    going_on = _Sums(0.6 * edges + 0.4 * _saliency(lab) + taken)
    along_floor = _Sums(edges + taken)
    floor = _floor_line(lab)
    best, least = np.array([0.1, 0.1, 0.9, TYPICAL_FOOT]), math.inf
    for foot, middle, tall in combinations(FEET, MIDDLES, HEIGHTS):
        wide = tall * ratio * height / width
        if wide > WIDEST:
            tall, wide = tall * WIDEST / wide, WIDEST
        place = np.array([middle - wide / 2, foot - tall, middle + wide / 2, foot])
        if place[0] < 0.02 or place[2] > 0.98 or place[1] < HIGHEST or foot < floor:
            continue
        strip = np.array([place[0], foot - STRIP / 2, place[2], min(1.0, foot + STRIP)])
        cost = (
            going_on.mean(place)
            + STRIP_COST * along_floor.mean(strip)
            + MIDDLE_COST * abs(middle - 0.5)
            + FOOT_WORTH * abs(foot - TYPICAL_FOOT)
            - SIZE_WORTH * math.sqrt(wide * tall)
        )
        if cost < least:
            best, least = place, cost
    return best


class _Sums:
    """Means of rectangles of a plane, in constant time (integral image)."""

    def __init__(self, plane: Plane) -> None:
        self._sums = cv2.integral(plane)
        self._height, self._width = plane.shape

    def mean(self, place: NDArray[np.float64]) -> float:
        sides = (self._width, self._height, self._width, self._height)
        left, top, right, bottom = (round(float(part) * side) for part, side in zip(place, sides, strict=True))
        right, bottom = max(right, left + 1), max(bottom, top + 1)
        sums = self._sums
        total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
        return float(total / ((right - left) * (bottom - top)))


def _edges(lightness: Plane) -> Plane:
    across, down = cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    return np.asarray(np.minimum(strength / max(float(np.percentile(strength, 95)), 20.0), 1), np.float32)


def _saliency(lab: Plane) -> Plane:
    away = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 2) - lab.mean(axis=(0, 1)), axis=2)
    return np.asarray(np.minimum(away / max(float(np.percentile(away, 98)), 20.0), 1), np.float32)


def _floor_line(lab: Plane) -> float:
    """Return the highest possible foot, as a fraction of the image height: below the highest clear horizontal line.

    Return 0 if there is none. At such a line most columns change colour; objects hide it in the others. A table has a
    second line below, its front edge, so the strongest line is not always the right one.
    """
    height = len(lab)
    band = max(2, round(BAND * height))
    first, last = max(band, round(FLOOR_ROWS[0] * height)), min(height - band, round(FLOOR_ROWS[1] * height))
    if first >= last:
        return 0.0
    sums = np.cumsum(np.concatenate([np.zeros_like(lab[:1]), lab]), axis=0, dtype=np.float64)
    rows = np.arange(first, last)
    below, above = sums[rows + band] - sums[rows], sums[rows] - sums[rows - band]
    steps = np.median(np.linalg.norm(below - above, axis=2) / band, axis=1)
    clear = steps >= max(MIN_STEP, CLEAR_LINE * float(np.median(steps)), LESSER_LINE * float(steps.max()))
    if not clear.any():
        return 0.0
    begins = int(np.argmax(clear))
    peak = begins + int(np.argmax(steps[begins : begins + 2 * band]))
    return float(rows[peak] / height) + BELOW_LINE
