"""Opening holes: what shows through a ring or a handle is the ground, though saliency takes it for the product."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from cv2.typing import MatLike

from services.runtime.image import Pixels
from services.segmentation.engine import Candidate, Mask

SURE = 0.5
SECOND_BEST = 0.015
"""A hole counts only in a candidate whose score is at most so much below the best: one that leaves out a label or a
window is scored lower."""
LIKE_GROUND, LIKE_PRODUCT = 0.4, 0.1
"""A hole's colours are at least so like the ground's, and at most so like the product's (histogram intersection)."""
SMALLEST = 0.002
"""Smaller holes, as a part of the product, have too few pixels to tell."""
BINS = (6, 12, 12)
"""Of the histograms: lightness counts less than colour, because of shadows."""
MARGIN = 9
"""How far from the mask the ground begins, in pixels: nearer, the edge's mixed colours would be counted."""


def open_holes(picture: Pixels, mask: Mask, candidates: Sequence[Candidate]) -> Mask:
    """Take holes out of a mask, where a good candidate has them and their colours are the ground's, not the product's.

    Either alone would not do: candidates leave out labels too, and a white label has the colour of white paper.

    Args:
        picture: (H, W, 3).
        mask: (H, W), true = product.
        candidates: All answers to the prompt that led to the mask.

    Returns:
        (H, W), true = product.
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
    """Give what the mask encloses."""
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
    """Give the histograms' intersection (Swain and Ballard, "Color Indexing", 1991), 0 to 1."""
    return float(np.minimum(one, other).sum())
