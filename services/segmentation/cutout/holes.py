"""Opening of holes: what shows through a ring or a handle is background, although saliency counts it as product."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.engines.base import Candidate

SURE = 0.5
SECOND_BEST = 0.015
"""Maximum score gap to the best candidate for a candidate's holes to count: one that omits a label or a window scores
lower."""
LIKE_GROUND, LIKE_PRODUCT = 0.4, 0.1
"""Minimum similarity of a hole to the background and maximum to the product (histogram intersection, 0 to 1)."""
SMALLEST = 0.002
"""Minimum area of a hole, as a fraction of the product; smaller ones have too few pixels for a histogram."""
BINS = (6, 12, 12)
"""Histogram bins of L, a and b: coarser for lightness, because of shadows."""
MARGIN = 9
"""Side of the square that dilates the mask, in pixels: excludes the edge's mixed colours from the background."""


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
    ground = ~(cv2.dilate(mask.astype(np.uint8), np.ones((MARGIN, MARGIN), np.uint8)) > 0)
    if not ground.any():
        return mask
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    best = max(candidate.score for candidate in candidates)
    opened = mask.copy()
    for candidate in candidates:
        if candidate.score < best - SECOND_BEST:
            continue
        product = candidate.probability > SURE
        for hole in _holes(product):
            colours = _histogram(lab, hole)
            if (
                _likeness(colours, _histogram(lab, ground)) > LIKE_GROUND
                and _likeness(colours, _histogram(lab, product)) < LIKE_PRODUCT
            ):
                opened &= ~hole
    return opened


def _holes(mask: Mask) -> Iterator[Mask]:
    """Yield the regions enclosed by a mask, except those too small to judge."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    height, width = mask.shape
    for part in range(1, count):
        left, top, across, down, area = stats[part]
        is_inside = left > 0 and top > 0 and left + across < width and top + down < height
        if is_inside and area >= SMALLEST * mask.sum():
            yield np.asarray(labels == part)


def _histogram(lab: MatLike, mask: Mask) -> MatLike:
    counts = cv2.calcHist([lab], [0, 1, 2], mask.astype(np.uint8), BINS, [0, 256] * 3)
    return np.asarray(counts / counts.sum())


def _likeness(one: MatLike, other: MatLike) -> float:
    """Return the intersection of two histograms, 0 to 1 (Swain and Ballard, "Color Indexing", 1991)."""
    return float(np.minimum(one, other).sum())
