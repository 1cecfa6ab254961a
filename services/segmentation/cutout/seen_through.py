"""What is behind a product, and whether it is seen through it.

Where a ground goes on in one direction (the edge of a table, planks, tiles, stripes), both sides of the product tell
what is behind it. If just that is seen inside the product, over its whole width, it is see-through.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Self

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.matting import Plane, disc
from services.segmentation.cutout.product import working_copy

SIDE, FINE_SIDE = 256, 1024
"""Longer sides at which a product is judged, and at which what is behind it is computed, in pixels."""
REACH, FINE_REACH = 0.5, 0.1
"""How far from the product the ground is looked at, at each of them. Lengths from here on are fractions of the
product's size, the root of its area."""
RIM, MARGIN = 0.08, 0.03
"""What is left out inside the outline, where glass refracts, and outside it, where colours are mixed."""
FINEST, COARSEST = 0.006, 0.1
"""Sigmas between which lies the detail that is compared: coarser shading is alike by chance."""
DIRECTIONS, TURNS, FINE_TURNS = 3, range(-2, 3), (-0.6, -0.3, 0.0, 0.3, 0.6)
"""How many directions of the ground are tried, and turns from each, in degrees: stripes tell half a degree."""
KNOWN = 0.4
"""Minimum width of what is known of the ground, across its direction."""
PLAIN, VISIBLE = 1.7, 5.0
"""Maximum RMS of the lightness of a plain ground, and minimum RMS of the detail (RGB) that is compared, of 255."""
CERTAIN = 0.8
"""Correlation of the ground's detail on both sides at which no more directions are tried."""
SIDES_AGREE, INSIDE_AGREES, STRIPS_AGREE = 0.62, 0.25, 0.13
"""Minimum correlation of the ground's detail: of one side with the other, of the inside with both, and that in each of
the strips across the product."""
OF_SHARED = 0.65
"""Minimum correlation, as a factor of that of the strips with one another: an opaque product has edges of its own."""
STRIPS = 5
SHIFT = 0.03
"""Maximum shift of what is seen through glass, across the direction."""
WEAKEST, STRONGEST = 0.2, 1.4
"""Bounds of how strong the detail is inside, as a factor of that outside."""
Values = NDArray[np.float32]
Strip = tuple[Values, Mask, float]
"""Detail on each line, where it is known, and how far across the product the strip is."""


def ground_seen_through(photo: Pixels, alpha: Plane) -> MatLike | None:
    """Return the ground that a see-through product hides, (h, w, 3) float32, 0 to 1, of at most FINE_SIDE.

    Args:
        photo: (H, W, 3).
        alpha: Part of each pixel that the product covers, (H, W), 0 to 1.

    Returns:
        None if the ground does not tell what is behind the product, or that is not seen inside it.
    """
    view = _View.of(photo, alpha, SIDE)
    if not view.is_detailed:
        return None
    directions = [degrees + turn for degrees in view.directions() for turn in TURNS]
    lines = _best_lines(view, directions, REACH)
    if lines.agreement < SIDES_AGREE or not lines.are_seen_inside():
        return None
    fine = _View.of(photo, alpha, FINE_SIDE)
    nearest = _best_lines(fine, [lines.degrees + turn for turn in FINE_TURNS], FINE_REACH)
    return nearest.behind() if nearest.are_known else None


@dataclass(frozen=True)
class _View:
    """A photo at some size, float32 and uint8.

    Attributes:
        picture: (h, w, 3), 0 to 255.
        product: (h, w), 0 or 1.
    """

    picture: MatLike
    product: MatLike

    @classmethod
    def of(cls, photo: Pixels, alpha: Plane, side: int) -> Self:
        small, _ = working_copy(photo, side)
        cover = cv2.resize(alpha, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
        return cls(small.astype(np.float32), (cover > 0.5).astype(np.uint8))

    @cached_property
    def size(self) -> float:
        return math.sqrt(float(self.product.sum()))

    @cached_property
    def ground(self) -> Mask:
        return np.asarray(cv2.dilate(self.product, disc(max(1, round(MARGIN * self.size)))) == 0)

    def ground_within(self, reach: float) -> Mask:
        """Return the ground no farther from the product than some pixels."""
        return np.asarray(self.ground & (self._distance < reach))

    @cached_property
    def _distance(self) -> Plane:
        return cv2.distanceTransform(1 - self.product, cv2.DIST_L2, cv2.DIST_MASK_5)

    @property
    def is_detailed(self) -> bool:
        """Whether there is a ground, and more on it than noise."""
        if not self.size or not self.ground.any():
            return False
        return float(np.sqrt(np.mean(self._detail[self.ground] ** 2))) > PLAIN

    @cached_property
    def _detail(self) -> Plane:
        """The ground's lightness without coarse shading, (h, w); 0 where the product is."""
        known, sigma = self.ground.astype(np.float32), COARSEST * self.size
        grey = cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY)
        coarse, share = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (grey * known, known))
        return np.asarray((grey - coarse / np.maximum(share, 1e-3)) * known)

    def directions(self) -> list[int]:
        """Return the directions in which the ground goes on, in degrees, the strongest first.

        What goes on in a direction has its spectrum on the line across it.
        """
        height, width = self._detail.shape
        window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
        side = cv2.getOptimalDFTSize(max(height, width))
        power = np.abs(np.fft.rfft2(self._detail * window, (side, side))) ** 2
        down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
        degrees = (np.degrees(np.arctan2(down, right)) + 90).astype(int) % 180
        frequency = np.hypot(down, right)
        strength = np.bincount(degrees.ravel(), (power * frequency * (frequency > 2 / side)).ravel(), 180)
        smooth = cv2.GaussianBlur(np.tile(strength, 3)[None], (0, 0), 2)[0]
        beside = cv2.dilate(smooth[None], np.ones((1, 17), np.uint8))[0]
        peaks = np.flatnonzero((smooth == beside)[180:360])
        return sorted(peaks.tolist(), key=lambda peak: -smooth[180 + peak])[:DIRECTIONS]


class _Lines:
    """The lines of a view in some direction: on each, the ground on one side of the product, and on the other.

    Args:
        view: The photo.
        degrees: The direction, clockwise from the right.
        reach: How far from the product the ground is looked at.
    """

    def __init__(self, view: _View, degrees: float, reach: float) -> None:
        self.degrees = degrees
        self._view = view
        height, width = view.product.shape
        self._right, self._down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        self._first_line = -max(0.0, self._down * (width - 1)) + min(0.0, self._right * (height - 1))
        self._count = math.ceil(abs(self._down) * width + abs(self._right) * height) + 2
        outline = view.product - cv2.erode(view.product, np.ones((3, 3), np.uint8), borderValue=0)
        line, place = self._positions(outline > 0)
        self._start = np.full(self._count, np.inf, np.float32)
        self._end = -self._start
        np.minimum.at(self._start, line, place)
        np.maximum.at(self._end, line, place)
        far = reach * view.size
        near = view.ground_within(far)
        line, place = self._positions(near)
        colours = view.picture[near]
        before = (place < self._start[line]) & (place > self._start[line] - far)
        after = (place > self._end[line]) & (place < self._end[line] + far)
        self._before, is_before = self._means(line[before], colours[before])
        self._after, is_after = self._means(line[after], colours[after])
        self._known = is_before & is_after

    @property
    def are_known(self) -> bool:
        """Whether there is ground on both sides of the product on enough of them."""
        return bool(self._known.sum() >= KNOWN * self._view.size)

    @cached_property
    def agreement(self) -> float:
        """How alike the detail of both sides is, -1 to 1."""
        if not self.are_known:
            return -1.0
        before, after = self._sides
        return _correlation(before[self._known], after[self._known])

    def are_seen_inside(self) -> bool:
        """Return whether the ground's detail is seen inside the product, over its whole width."""
        inner = cv2.erode(self._view.product, disc(max(1, round(RIM * self._view.size)))) > 0
        line, place = self._positions(np.asarray(inner))
        colours = self._view.picture[inner]
        strip = (self._across(line, place) * STRIPS).astype(int).clip(0, STRIPS - 1)
        most = round(SHIFT * self._view.size)
        strips = []
        for number in range(STRIPS):
            seen, is_seen = self._means(line[strip == number], colours[strip == number])
            known = self._known & is_seen
            strips.append((self._detail(seen, known), known, (number + 0.5) / STRIPS))
        least = max(INSIDE_AGREES, OF_SHARED * _shared(strips))
        return any(self._agree(strips, shift, least) for shift in range(-most, most + 1))

    def _agree(self, strips: Sequence[Strip], shift: int, least: float) -> bool:
        before, after = (np.roll(side, shift, axis=0) for side in self._sides)
        known = np.roll(self._known, shift)
        pairs = [
            (seen[is_seen & known], ((1 - across) * before + across * after)[is_seen & known])
            for seen, is_seen, across in strips
        ]
        if min(_correlation(*pair) for pair in pairs) < STRIPS_AGREE:
            return False
        inside, outside = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        strength = float((inside * outside).sum() / max(1e-6, float((outside * outside).sum())))
        is_visible = float(np.sqrt((outside * outside).sum(axis=1).mean())) > VISIBLE
        return is_visible and WEAKEST < strength < STRONGEST and _correlation(inside, outside) > least

    def behind(self) -> MatLike:
        """Return the ground that the product hides, from what is beside it on each line, (h, w, 3), 0 to 1."""
        line, place = self._exact(np.ones_like(self._view.ground))
        across = self._across(np.round(line).astype(np.intp), place)
        known = np.flatnonzero(self._known)
        behind = [
            (1 - across) * np.interp(line, known, before) + across * np.interp(line, known, after)
            for before, after in zip(self._before[known].T / 255, self._after[known].T / 255, strict=True)
        ]
        return np.stack(behind, -1).astype(np.float32).reshape(self._view.picture.shape)

    @cached_property
    def _sides(self) -> tuple[Values, Values]:
        return self._detail(self._before, self._known), self._detail(self._after, self._known)

    def _exact(self, mask: Mask) -> tuple[Values, Values]:
        """Return the lines of a mask's pixels, and where on them they are."""
        y, x = (axis.astype(np.float32) for axis in np.nonzero(mask))
        return y * self._right - x * self._down - self._first_line, x * self._right + y * self._down

    def _positions(self, mask: Mask) -> tuple[NDArray[np.intp], Values]:
        line, place = self._exact(mask)
        return (line + 0.5).astype(np.intp), place

    def _across(self, line: NDArray[np.intp], place: Values) -> Values:
        """Return how far across the product a place on a line is, 0 to 1."""
        width = np.maximum(1, self._end - self._start)
        across = (place - self._start[line]) / width[line]
        return np.asarray(np.clip(np.nan_to_num(across), 0, 1), np.float32)

    def _means(self, line: NDArray[np.intp], colours: MatLike) -> tuple[Values, Mask]:
        """Return the mean colour on each line, and whether there are any."""
        number = np.bincount(line, minlength=self._count)
        sums = [np.bincount(line, colours[:, one], self._count) for one in range(3)]
        means = np.stack(sums, -1) / np.maximum(number, 1)[:, None]
        return means.astype(np.float32), np.asarray(number > 1)

    def _detail(self, values: Values, known: Mask) -> Values:
        """Return what is neither noise nor coarse, from one line to the next."""
        share = known.astype(np.float32)[:, None, None]

        def mean(sigma: float) -> MatLike:
            window = 1, 2 * math.ceil(3 * sigma) + 1
            sums, shares = (
                cv2.GaussianBlur(plane, window, sigma, borderType=cv2.BORDER_CONSTANT).reshape(len(values), -1)
                for plane in (values[:, None] * share, share)
            )
            return np.asarray(sums / np.maximum(shares, 1e-3))

        size = self._view.size
        return np.asarray(mean(max(0.7, FINEST * size)) - mean(COARSEST * size))


def _best_lines(view: _View, directions: Sequence[float], reach: float) -> _Lines:
    """Return the lines on which both sides agree most, of those in some directions."""
    best = _Lines(view, directions[0], reach)
    for degrees in directions[1:]:
        lines = _Lines(view, degrees, reach)
        if lines.agreement > best.agreement:
            best = lines
        elif best.agreement > CERTAIN:
            break
    return best


def _shared(strips: Sequence[Strip]) -> float:
    """Return the mean correlation of strips with one another: what they have in common is the ground's or their own."""
    pairs = [
        _correlation(one[known & is_seen], other[known & is_seen])
        for (one, known, _), (other, is_seen, _) in combinations(strips, 2)
    ]
    return sum(pairs) / len(pairs)


def _correlation(one: Values, other: Values) -> float:
    return float((one * other).sum() / math.sqrt(float((one * one).sum()) * float((other * other).sum()) + 1e-6))
