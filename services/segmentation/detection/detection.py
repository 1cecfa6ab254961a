"""Object detection: by the detector if one is loaded, else by the segmenter: at one place, or everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.matting import clean
from services.segmentation.cutout.product import check_inside, find_product, working_copy
from services.segmentation.detection.everything import WORKING_SIDE, segment_everything
from services.segmentation.detection.surfaces import find_layout
from services.segmentation.engines.base import Box, DetectionQuery, Engines, FoundObject, Prompt, PromptPoint

LABEL, SURFACE = "object", "surface"
"""Labels of what the segmenter finds, which knows no classes."""
UNKNOWN_SCORE = 0.5
"""Score of a thing that the segmenter finds anywhere: whether it is one thing is not known."""
MAX_OBJECT = 0.6
"""Maximum area of an object found by the segmenter, as a fraction of the picture; larger ones are floor or wall."""
KNOWN = 0.5
"""Part of a thing that detected objects must cover for it to be one of them."""
SURFACES = frozenset({"dining table"})
"""Labels of what detectors take for an object, and things stand on."""
CLOSED = 0.004
"""Radius of the morphological closing of a detector's mask, as a fraction of the longer image side."""


@dataclass(frozen=True)
class Scene:
    """What is in a picture.

    Attributes:
        things: What stands there, best first.
        surfaces: What it stands on, best first.
    """

    things: Sequence[FoundObject]
    surfaces: Sequence[FoundObject]


def find_everything(picture: Pixels, query: DetectionQuery, engines: Engines) -> Scene:
    """Find what stands anywhere in a picture, and what it stands on.

    Args:
        picture: (H, W, 3).
        query: Which things to return.
        engines: Engines selected by the registry.

    Returns:
        What the detector knows, and what the segmenter finds besides. A segmenter that does not segment anything finds
        the most salient thing, and no surfaces.
    """
    segments_anything = engines.segmenter.segments_anything
    is_needed = engines.detector is not None or not segments_anything
    detected = find_objects(picture, query, None, engines) if is_needed else []
    things = [one for one in detected if one.label not in SURFACES]
    if not segments_anything:
        return Scene(things, [])
    small, _ = working_copy(picture, WORKING_SIDE)
    layout = find_layout(small, segment_everything(small, engines.segmenter))
    surfaces = [_found(SURFACE, one.score, one.mask, picture) for one in layout.surfaces]
    found = [_found(LABEL, UNKNOWN_SCORE, mask, picture) for mask in layout.things]
    things += [one for one in found if _is_new(one, things) and (not query.labels or LABEL in query.labels)]
    return Scene(things[: query.max_objects], surfaces[: query.max_objects])


def _found(label: str, score: float, mask: Mask, picture: Pixels) -> FoundObject:
    """Return an object of a mask of a reduced picture."""
    height, width = picture.shape[:2]
    whole = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR_EXACT) > 0
    return FoundObject(label, score, Box.around(whole), whole)


def _is_new(thing: FoundObject, known: Sequence[FoundObject]) -> bool:
    covered = np.zeros_like(thing.mask)
    for one in known:
        covered |= one.mask
    return float(covered[thing.mask].mean()) < KNOWN


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
    return [_found(LABEL, found.score, clean(found.mask), picture)]
