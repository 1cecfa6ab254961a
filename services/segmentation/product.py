"""Finding the product: from saliency to a prompt, from the prompt to a mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from services.runtime.errors import InvalidInputError
from services.runtime.image import Pixels
from services.segmentation.engine import Box, Candidate, Engines, Mask, Probability, Prompt, Segmenter
from services.segmentation.grabcut import inner_box, settle
from services.segmentation.holes import open_holes

WORKING_SIZE = 1024
SURE = 0.5
SALIENT = 0.2
"""What draws the eye less is not looked at. Low: a box that misses the product's end misleads more than a wide one."""
LEAST_PEAK = 0.3
"""Where nothing draws the eye more than this, nothing stands out."""
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
        return _best(working, engines.segmenter.segment(working, _scaled(prompt, scale, working)))
    if engines.saliency is None:
        height, width = working.shape[:2]
        return _best(working, engines.segmenter.segment(working, Prompt(box=inner_box(width, height))))
    saliency = engines.saliency.find(working)
    parts = _salient_parts(saliency)
    if not parts:
        return None
    candidate, candidates = _choose(working, saliency, parts, engines.segmenter)
    # Segment Anything knows edges, saliency knows what is meant: where they disagree, the surer one decides, and where
    # neither is sure, the colours do.
    probability = np.asarray((candidate.probability + saliency) / 2, np.float32)
    mask = open_holes(working, settle(working, probability), candidates)
    return _found(probability, mask, candidate.score)


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


def _salient_parts(saliency: Probability) -> list[Mask]:
    """Give the connected parts that draw the eye, but for those much smaller than the largest."""
    if saliency.max() < LEAST_PEAK:
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats((saliency > SALIENT).astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    return [np.asarray(labels == part) for part in range(1, count) if areas[part - 1] >= areas.max() * SMALLEST_PART]


def _choose(
    picture: Pixels, saliency: Probability, parts: Sequence[Mask], segmenter: Segmenter
) -> tuple[Candidate, Sequence[Candidate]]:
    """Prompt with a box around all parts, and with one around each; give what agrees best, and all there was to choose.

    Parts that the segmenter sees as one piece are one product: saliency lost what holds them together.
    """

    def ask(part: Mask) -> Sequence[Candidate]:
        return segmenter.segment(picture, Prompt(box=_bounds(part)))

    def best(candidates: Sequence[Candidate], part: Mask) -> Candidate:
        return max(candidates, key=lambda candidate: _merit(candidate, part & (saliency > SURE)))

    everything = np.logical_or.reduce(parts)
    together = ask(everything)
    if len(parts) == 1:
        return best(together, everything), together
    joined = [candidate for candidate in together if _joins(candidate, parts)]
    if joined:
        return best(joined, everything), together
    answers = [ask(part) for part in parts]
    each = [best(candidates, part) for candidates, part in zip(answers, parts, strict=True)]
    united = np.maximum.reduce([candidate.probability for candidate in each])
    apart = Candidate(united, sum(candidate.score for candidate in each) / len(each))
    return best([*together, apart], everything), [*together, *chain.from_iterable(answers)]


def _joins(candidate: Candidate, parts: Sequence[Mask]) -> bool:
    """Tell whether one connected piece of the candidate holds most of every part."""
    count, labels = cv2.connectedComponents((candidate.probability > SURE).astype(np.uint8))
    held = [np.bincount(labels[part], minlength=count)[1:] / part.sum() > SURE for part in parts]
    return bool(np.logical_and.reduce(held).any())


def _merit(candidate: Candidate, salient: Mask) -> float:
    mask = candidate.probability > SURE
    agreement = float((mask & salient).sum() / max(1, (mask | salient).sum()))
    return candidate.score / 2 + agreement


def _bounds(mask: Mask) -> Box:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return Box(left, top, left + width, top + height)


def _best(picture: Pixels, candidates: Sequence[Candidate]) -> Found | None:
    candidate = max(candidates, key=lambda candidate: candidate.score)
    mask = open_holes(picture, candidate.probability > SURE, candidates)
    return _found(candidate.probability, mask, candidate.score)


def _found(probability: Probability, mask: Mask, score: float) -> Found | None:
    if not SMALLEST_PRODUCT <= float(mask.mean()) <= LARGEST_PRODUCT:
        return None
    certainty = float(np.abs(probability[mask] - 0.5).mean() * 2)
    return Found(mask, min(1.0, score * certainty))
