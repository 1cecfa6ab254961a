"""Finding the product: from saliency to a prompt, from the prompt to a mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.runtime.errors import InvalidInputError
from services.runtime.image import Pixels
from services.segmentation.engine import Box, Candidate, Engines, Mask, Probability, Prompt
from services.segmentation.grabcut import inner_box

WORKING_SIZE = 1024
SALIENT = 0.5
SMALLEST_PART = 0.1
"""Salient parts of less than this, as a part of the largest, do not count."""
SMALLEST_PRODUCT = 0.002
LARGEST_PRODUCT = 0.97
"""Less or more of the picture than this is no product before a background."""


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes:
        mask: (h, w), true = product, its longer side at most 1024.
        score: 0 to 1.
    """

    mask: Mask
    score: float


def find_product(photo: Pixels, prompt: Prompt | None, engines: Engines) -> Found | None:
    """Find the product.

    Args:
        photo: (H, W, 3).
        prompt: Where the caller says it is; None: at the most salient place.
        engines: Chosen at start.

    Returns:
        None when nothing stands out from the background.
    """
    working, scale = _working_copy(photo)
    if prompt is not None:
        return _found(_best(engines.segmenter.segment(working, _scaled(prompt, scale, working))), None)
    if engines.saliency is None:
        height, width = working.shape[:2]
        return _found(_best(engines.segmenter.segment(working, Prompt(box=inner_box(width, height)))), None)
    saliency = engines.saliency.find(working)
    salient = _salient_parts(saliency)
    if not salient.any():
        return None
    candidates = engines.segmenter.segment(working, Prompt(box=_bounds(salient)))
    return _found(max(candidates, key=lambda candidate: candidate.score / 2 + _agreement(candidate, salient)), saliency)


def check_inside(prompt: Prompt | None, photo: Pixels) -> None:
    """Make sure that a prompt lies in its photo.

    Raises:
        InvalidInputError: It does not.
    """
    if prompt is None:
        return
    height, width = photo.shape[:2]
    box = prompt.box
    if box and not (0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height):
        raise InvalidInputError(f"The box does not lie in the photo, which is {width}x{height}.", "PROMPT_OUTSIDE")
    if any(point.x >= width or point.y >= height for point in prompt.points):
        raise InvalidInputError(f"A point does not lie in the photo, which is {width}x{height}.", "PROMPT_OUTSIDE")


def _working_copy(photo: Pixels) -> tuple[Pixels, float]:
    height, width = photo.shape[:2]
    scale = min(1.0, WORKING_SIZE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _scaled(prompt: Prompt, scale: float, working: Pixels) -> Prompt:
    height, width = working.shape[:2]
    points = tuple(
        type(point)(min(int(point.x * scale), width - 1), min(int(point.y * scale), height - 1), point.on_object)
        for point in prompt.points
    )
    box = prompt.box
    if box is not None:
        left, top = min(int(box.left * scale), width - 1), min(int(box.top * scale), height - 1)
        right, bottom = max(round(box.right * scale), left + 1), max(round(box.bottom * scale), top + 1)
        box = Box(left, top, min(right, width), min(bottom, height))
    return Prompt(points, box)


def _salient_parts(saliency: Probability) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats((saliency > SALIENT).astype(np.uint8))
    if count < 2:
        return np.zeros(saliency.shape, np.bool_)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(np.concatenate([[False], areas >= areas.max() * SMALLEST_PART])[labels])


def _bounds(mask: Mask) -> Box:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return Box(left, top, left + width, top + height)


def _best(candidates: Sequence[Candidate]) -> Candidate:
    return max(candidates, key=lambda candidate: candidate.score)


def _agreement(candidate: Candidate, salient: Mask) -> float:
    mask = candidate.probability > 0.5
    return float((mask & salient).sum() / max(1, (mask | salient).sum()))


def _found(candidate: Candidate, saliency: Probability | None) -> Found | None:
    # Segment Anything knows edges, saliency knows what is meant: where they disagree, the surer one decides.
    probability = candidate.probability if saliency is None else (candidate.probability + saliency) / 2
    mask = probability > 0.5
    share = float(mask.mean())
    if not SMALLEST_PRODUCT <= share <= LARGEST_PRODUCT:
        return None
    certainty = float(np.abs(probability[mask] - 0.5).mean() * 2)
    return Found(mask, min(1.0, candidate.score * certainty))
