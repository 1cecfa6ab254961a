"""Openings and middles: which regions that candidates disagree about belong to the product.

Saliency counts what shows through a ring or a handle as product, and leaves out plain middles and labels of the wall's
colour. So both are decided by evidence from two sides: what candidates hold, and whether the region looks like what is
seen around the product.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.engines.base import Candidate

SURE = 0.5
SECOND_BEST = 0.015
"""Maximum score gap to the best candidate for a candidate's holes to count: one that omits a label or a window scores
lower."""
GOOD = 0.08
"""The same, where the hole also continues a smooth ground and a thin frame encloses it: then a candidate need not be
among the best."""
NEAR, THIN = 0.35, 0.7
"""How far around a hole to look, as a fraction of its size, and the part of that which is not product if what encloses
it is thin: around a label there is more of the product."""
LIKE_GROUND, LIKE_PRODUCT = 0.4, 0.1
"""Minimum similarity of a hole to the background and maximum to the product (histogram intersection, 0 to 1)."""
RATHER, TIMES_PRODUCT = 0.28, 10.0
"""The same, and how many times more alike to the background it is: small holes show a part of the background only."""
SMALLEST = 0.002
"""Minimum area of a region, as a fraction of the product; smaller ones have too few pixels for a histogram."""
BINS = (6, 12, 12)
"""Histogram bins of L, a and b: coarser for lightness, because of shadows."""
MARGIN = 9
"""Side of the square that dilates the mask, in pixels: excludes the edge's mixed colours from the background."""
SMOOTH, CONTINUES = 3.0, 2.5
"""Maximum median distance (CIE76) of a smooth ground from its fit, and of what continues it."""
HELD_BY = 2
"""Candidates among the best that must hold a middle."""
WHOLE = 0.95
"""Mean probability above which a candidate holds a region wholly."""
BORDERS, ENCLOSED = 0.4, 0.9
"""Part of a middle's border that must be the product; more than the second is enclosed by it."""
FOREIGN = 0.25
"""Maximum similarity of an enclosed middle to the background."""


class _Evidence:
    """Colours of a picture, and of what is seen around the product.

    Args:
        picture: (H, W, 3).
        ground: (H, W) bool; True marks the background.
    """

    def __init__(self, picture: Pixels, ground: Mask) -> None:
        self._lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        self._ground = ground

    @cached_property
    def _of_ground(self) -> MatLike:
        return self._histogram(self._ground)

    def like_ground(self, region: Mask) -> float:
        """Return how alike the colours of a region and of the ground are, 0 to 1."""
        return _likeness(self._histogram(region), self._of_ground)

    def alike(self, one: Mask, other: Mask) -> float:
        """Return how alike the colours of two regions are, 0 to 1."""
        return _likeness(self._histogram(one), self._histogram(other))

    def continues_ground(self, region: Mask) -> bool:
        """Return whether the ground is smooth, and a region is what one expects there."""
        return self._from_ground is not None and float(np.median(self._from_ground[region])) <= CONTINUES

    @cached_property
    def _from_ground(self) -> MatLike | None:
        """Distance (CIE76) of each pixel from a second-order fit of the ground; None if the ground is not smooth."""
        height, width = self._ground.shape
        colours = cv2.cvtColor(cv2.cvtColor(self._lab, cv2.COLOR_LAB2RGB).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        y, x = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
        terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], -1)
        some = np.flatnonzero(self._ground)[:: max(1, int(self._ground.sum()) // 20_000)]
        inputs, wanted = terms.reshape(-1, 6)[some], colours.reshape(-1, 3)[some]
        weights = np.linalg.lstsq(inputs, wanted, rcond=None)[0]
        kept = np.linalg.norm(inputs @ weights - wanted, axis=1)
        if np.median(kept) > SMOOTH:
            return None
        return np.asarray(np.linalg.norm(terms @ weights - colours, axis=2))

    def _histogram(self, mask: Mask) -> MatLike:
        counts = cv2.calcHist([self._lab], [0, 1, 2], mask.astype(np.uint8), BINS, [0, 256] * 3)
        return np.asarray(counts / counts.sum())


def open_holes(picture: Pixels, mask: Mask, candidates: Sequence[Candidate]) -> Mask:
    """Open holes that a good candidate has and whose colours match the background rather than the product.

    Neither test suffices alone: candidates omit labels too, and a white label has the colour of white paper.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the product.
        candidates: All candidates for the prompts that led to the mask.

    Returns:
        (H, W) bool; True marks the product.
    """
    ground = outside(mask)
    if not ground.any():
        return mask
    evidence = _Evidence(picture, ground)
    best = max(candidate.score for candidate in candidates)
    opened = mask.copy()
    for candidate in candidates:
        gap = best - candidate.score
        if gap > GOOD:
            continue
        product = candidate.probability > SURE
        for hole in holes_in(product):
            is_sure = gap <= SECOND_BEST or (share_around(hole, ~product) > THIN and evidence.continues_ground(hole))
            if is_sure and _is_ground(evidence.like_ground(hole), evidence.alike(hole, product)):
                opened &= ~hole
    return opened


def _is_ground(like_ground: float, like_product: float) -> bool:
    if like_ground > LIKE_GROUND:
        return like_product < LIKE_PRODUCT
    return like_ground > RATHER and like_ground > TIMES_PRODUCT * like_product


def keep_middles(picture: Pixels, mask: Mask, candidates: Sequence[Candidate]) -> Mask:
    """Add what the best candidates hold and the mask lacks, between parts of the product.

    What is enclosed by the product is kept if nothing outside looks like it. What reaches the outside between the ends
    of the product, such as a label of the wall's colour, is kept as the candidates have it.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the product.
        candidates: All candidates for the prompts that led to the mask.

    Returns:
        (H, W) bool; True marks the product.
    """
    best = max(candidate.score for candidate in candidates)
    good = [candidate.probability > SURE for candidate in candidates if candidate.score >= best - SECOND_BEST]
    held = np.sum(good, axis=0) >= HELD_BY
    ground = outside(mask | held)
    missing = cv2.morphologyEx((held & ~mask).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(missing)
    evidence = _Evidence(picture, ground)
    kept = mask.copy()
    for part in range(1, count):
        region = np.asarray(labels == part)
        if stats[part, cv2.CC_STAT_AREA] < SMALLEST * mask.sum() or not ground.any():
            continue
        wider = np.asarray(cv2.dilate(region.astype(np.uint8), np.ones((MARGIN, MARGIN), np.uint8))) > 0
        borders = float(mask[wider & ~region].mean())
        is_bridge = BORDERS <= borders < ENCLOSED
        is_foreign = borders >= ENCLOSED and evidence.like_ground(region) < FOREIGN
        if is_bridge or is_foreign or (borders >= ENCLOSED and _is_whole(region, candidates, best)):
            kept |= wider & held
    return kept


def _is_whole(region: Mask, candidates: Sequence[Candidate], best: float) -> bool:
    """Return whether the best candidates hold a region wholly, though another one shows that it can be told apart."""
    held = [(float(one.probability[region].mean()), best - one.score) for one in candidates]
    is_told_apart = any(share < 1 - WHOLE for share, gap in held if gap <= GOOD)
    return is_told_apart and sum(share >= WHOLE for share, gap in held if gap <= SECOND_BEST) >= HELD_BY


def outside(mask: Mask) -> Mask:
    """Return what is not product, (H, W), without the mixed colours beside it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((MARGIN, MARGIN), np.uint8)) == 0)


def holes_in(mask: Mask) -> Iterator[Mask]:
    """Yield the regions enclosed by a mask, except those too small to judge."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    height, width = mask.shape
    for part in range(1, count):
        left, top, across, down, area = stats[part]
        is_inside = left > 0 and top > 0 and left + across < width and top + down < height
        if is_inside and area >= SMALLEST * mask.sum():
            yield np.asarray(labels == part)


def share_around(region: Mask, of: Mask) -> float:
    """Return how much of what is around a region is part of a mask, 0 to 1."""
    radius = max(3, round(NEAR * float(np.sqrt(region.sum()))))
    left, top, width, height = cv2.boundingRect(region.astype(np.uint8))
    near = np.s_[max(0, top - radius) : top + height + radius, max(0, left - radius) : left + width + radius]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    around = (np.asarray(cv2.dilate(region[near].astype(np.uint8), disc)) > 0) & ~region[near]
    return float(of[near][around].mean()) if around.any() else 0.0


def _likeness(one: MatLike, other: MatLike) -> float:
    """Return the intersection of two histograms, 0 to 1 (Swain and Ballard, "Color Indexing", 1991)."""
    return float(np.minimum(one, other).sum())
