"""Finding the objects in a picture: with a detector if there is one, else the one that the segmenter finds."""

from collections.abc import Sequence

import cv2
import numpy as np

from services.runtime.errors import InvalidInputError
from services.runtime.image import Pixels
from services.segmentation.engine import Box, Engines, FoundObject, Mask, Prompt, PromptPoint, Wanted
from services.segmentation.matting import clean
from services.segmentation.product import check_inside, find_product

LABEL = "object"
"""What a segmenter, which knows no classes, calls what it finds."""
LEAST_SCORE = 0.5
MOST_OBJECTS = 20
LARGEST_OBJECT = 0.6
"""What covers more of the picture than this is its floor or its wall."""
CLOSED = 0.004
"""Gaps in a detector's mask of less than this, as a part of the longer side, are closed."""


def find_objects(picture: Pixels, wanted: Wanted, at: PromptPoint | None, engines: Engines) -> list[FoundObject]:
    """Find the objects in a picture.

    Args:
        picture: (H, W, 3).
        wanted: Which of them.
        at: Where to look when there is no detector; None: at the most salient place.
        engines: Chosen at start.

    Returns:
        The objects, best first; none when nothing stands out.

    Raises:
        InvalidInputError: The place lies outside the picture.
    """
    prompt = None if at is None else Prompt(points=(at,))
    check_inside(prompt, picture)
    if engines.detector is not None:
        return [_cleaned(found) for found in engines.detector.detect(picture, wanted)]
    return _standing_out(picture, prompt, wanted, engines)


def wanted_objects(labels: Sequence[str], min_score: float, most: int) -> Wanted:
    """Check what a caller wants; zero means the default.

    Raises:
        InvalidInputError: min_score is not within 0 to 1.
    """
    if not 0 <= min_score <= 1:
        raise InvalidInputError("min_score must be within 0 to 1.", "BAD_SCORE")
    return Wanted(frozenset(labels), min_score or LEAST_SCORE, most or MOST_OBJECTS)


def _cleaned(found: FoundObject) -> FoundObject:
    """Close small gaps in a mask, and keep its largest part."""
    radius = max(1, round(CLOSED * max(found.mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(found.mask.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(closed)
    mask = np.asarray(parts == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())
    return FoundObject(found.label, found.score, _bounds(mask), mask)


def _standing_out(picture: Pixels, prompt: Prompt | None, wanted: Wanted, engines: Engines) -> list[FoundObject]:
    if wanted.labels and LABEL not in wanted.labels:
        return []
    found = find_product(picture, prompt, engines)
    if found is None or found.score < wanted.min_score or found.mask.mean() > LARGEST_OBJECT:
        return []
    height, width = picture.shape[:2]
    solid = clean(found.mask).astype(np.uint8)
    mask = cv2.resize(solid, (width, height), interpolation=cv2.INTER_LINEAR_EXACT) > 0
    return [FoundObject(LABEL, found.score, _bounds(mask), mask)]


def _bounds(mask: Mask) -> Box:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return Box(left, top, left + width, top + height)
