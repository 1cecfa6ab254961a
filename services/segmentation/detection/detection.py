"""Object detection: by the detector if one is loaded, else the single object that the segmenter finds."""

import cv2
import numpy as np

from common.imaging.codec import Pixels
from services.segmentation.cutout.matting import clean
from services.segmentation.cutout.product import check_inside, find_product
from services.segmentation.engines.base import Box, DetectionQuery, Engines, FoundObject, Prompt, PromptPoint

LABEL = "object"
"""Label of an object found by the segmenter, which knows no classes."""
MAX_OBJECT = 0.6
"""Maximum area of an object found by the segmenter, as a fraction of the picture; larger ones are floor or wall."""
CLOSED = 0.004
"""Radius of the morphological closing of a detector's mask, as a fraction of the longer image side."""


def find_objects(picture: Pixels, query: DetectionQuery, at: PromptPoint | None, engines: Engines) -> list[FoundObject]:
    """Find the objects in a picture.

    Args:
        picture: (H, W, 3).
        query: Which objects to return.
        at: Where to search if no detector is loaded. None: wherever the picture is most salient.
        engines: Engines selected by the registry.

    Returns:
        The objects, best first; empty if nothing stands out.

    Raises:
        InvalidInputError: The point lies outside the picture.
    """
    prompt = None if at is None else Prompt(points=(at,))
    check_inside(prompt, picture)
    if engines.detector is not None:
        return [_cleaned(found) for found in engines.detector.detect(picture, query)]
    return _standing_out(picture, prompt, query, engines)


def _cleaned(found: FoundObject) -> FoundObject:
    """Close small gaps in a mask and keep its largest part."""
    radius = max(1, round(CLOSED * max(found.mask.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(found.mask.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(closed)
    mask = np.asarray(parts == 1 + stats[1:, cv2.CC_STAT_AREA].argmax())
    return FoundObject(found.label, found.score, Box.around(mask), mask)


def _standing_out(picture: Pixels, prompt: Prompt | None, query: DetectionQuery, engines: Engines) -> list[FoundObject]:
    if query.labels and LABEL not in query.labels:
        return []
    found = find_product(picture, prompt, engines)
    if found is None or found.score < query.min_score or found.mask.mean() > MAX_OBJECT:
        return []
    height, width = picture.shape[:2]
    solid = clean(found.mask).astype(np.uint8)
    mask = cv2.resize(solid, (width, height), interpolation=cv2.INTER_LINEAR_EXACT) > 0
    return [FoundObject(LABEL, found.score, Box.around(mask), mask)]
