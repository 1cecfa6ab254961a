"""Product search: from saliency to a prompt, from the prompt to a mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from common.errors import InvalidInputError
from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.at_frame import whole_at_frame
from services.segmentation.cutout.coloured_ground import open_coloured_ground
from services.segmentation.cutout.holes import keep_middles, open_holes
from services.segmentation.cutout.openings import open_between_bars
from services.segmentation.engines.base import Box, Candidate, Engines, Probability, Prompt, Segmenter
from services.segmentation.engines.grabcut import inner_box, settle

WORKING_SIZE = 1024
TINY, SMALL, ENLARGED = 128, 256, 800
"""Longer sides between which a photo is enlarged for the search, and to what: straps and gaps are a pixel wide."""
SURE = 0.5
SALIENT = 0.2
"""Saliency above which a pixel counts. Low, because a box that cuts the product short misleads more than a wide one."""
MIN_PEAK = 0.3
"""Minimum peak saliency; below it, nothing stands out."""
MIN_PART = 0.1
"""Minimum area of a salient part, as a fraction of the largest part."""
MIN_PRODUCT = 0.002
MAX_PRODUCT = 0.97
"""Bounds of the product's area, as a fraction of the picture; outside them, it is no product on a background."""


@dataclass(frozen=True)
class Found:
    """The product found in a photo.

    Attributes:
        mask: (h, w) bool, longer side at most 1024; True marks the product.
        score: Confidence, 0 to 1.
        doubtful: Part of the product that may be openings.
    """

    mask: Mask
    score: float
    doubtful: float = 0.0


def find_product(photo: Pixels, prompt: Prompt | None, engines: Engines) -> Found | None:
    """Find the product.

    Args:
        photo: (H, W, 3).
        prompt: Where the product is. None: wherever the photo is most salient.
        engines: Engines selected by the registry.

    Returns:
        None if nothing stands out from the background.
    """
    working, scale = search_copy(photo)
    if prompt is not None:
        return _best(working, engines.segmenter.segment(working, scaled(prompt, scale, working)))
    if engines.saliency is None:
        height, width = working.shape[:2]
        return _best(working, engines.segmenter.segment(working, Prompt(box=inner_box(width, height))))
    saliency = engines.saliency.find(working)
    parts = _salient_parts(saliency)
    if not parts:
        return None
    found = _agreed(working, saliency, parts, engines.segmenter)
    whole = whole_at_frame(working, found.mask, engines.segmenter)
    if whole is not None:
        found = _agreed(working, whole.astype(np.float32), [whole], engines.segmenter)
    mask = keep_middles(working, found.mask, found.candidates)
    return _found(working, found.probability, mask, found.score, found.candidates)


def check_inside(prompt: Prompt | None, photo: Pixels) -> None:
    """Check that a prompt lies within its photo.

    Raises:
        InvalidInputError: The box or a point lies outside the photo.
    """
    if prompt is None:
        return
    height, width = photo.shape[:2]
    box = prompt.box
    if box and not (0 <= box.left < box.right <= width and 0 <= box.top < box.bottom <= height):
        raise InvalidInputError(f"The box does not lie in the photo, which is {width}x{height}.", "PROMPT_OUTSIDE")
    if any(point.x >= width or point.y >= height for point in prompt.points):
        raise InvalidInputError(f"A point does not lie in the photo, which is {width}x{height}.", "PROMPT_OUTSIDE")


def search_copy(photo: Pixels) -> tuple[Pixels, float]:
    """Return a photo at the size at which products are looked for, and its scale."""
    height, width = photo.shape[:2]
    if not TINY <= max(height, width) < SMALL:
        return working_copy(photo, WORKING_SIZE)
    scale = ENLARGED / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC), np.uint8), scale


def working_copy(photo: Pixels, side: int) -> tuple[Pixels, float]:
    """Return a photo whose longer side is reduced to some pixels, and by how much it is smaller."""
    height, width = photo.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def scaled(prompt: Prompt, scale: float, working: Pixels) -> Prompt:
    """Return a prompt in the pixels of a working copy."""
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
    """Return the masks of the connected salient parts, except those much smaller than the largest."""
    if saliency.max() < MIN_PEAK:
        return []
    count, labels, stats, _ = cv2.connectedComponentsWithStats((saliency > SALIENT).astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    return [np.asarray(labels == part) for part in range(1, count) if areas[part - 1] >= areas.max() * MIN_PART]


@dataclass(frozen=True)
class _Agreed:
    """What saliency and the segmenter agree on.

    Attributes:
        probability: (h, w), 0 to 1.
        mask: (h, w) bool.
        score: That of the best candidate.
        candidates: All candidates.
    """

    probability: Probability
    mask: Mask
    score: float
    candidates: Sequence[Candidate]


def _agreed(picture: Pixels, saliency: Probability, parts: Sequence[Mask], segmenter: Segmenter) -> _Agreed:
    """Segment Anything knows the edges, saliency the subject.

    Where they disagree, the more certain one decides; where neither is certain, the colours do.
    """
    candidate, candidates = _choose(picture, saliency, parts, segmenter)
    probability = np.asarray((candidate.probability + saliency) / 2, np.float32)
    return _Agreed(probability, settle(picture, probability), candidate.score, candidates)


def _choose(
    picture: Pixels, saliency: Probability, parts: Sequence[Mask], segmenter: Segmenter
) -> tuple[Candidate, Sequence[Candidate]]:
    """Prompt with a box around all parts, then with one around each; return the best candidate and all candidates.

    Parts that the segmenter joins into one piece are one product (saliency missed what connects them) and are not
    prompted one by one.
    """

    def ask(part: Mask) -> Sequence[Candidate]:
        return segmenter.segment(picture, Prompt(box=Box.around(part)))

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
    """Return whether one connected piece of the candidate covers most of every part."""
    count, labels = cv2.connectedComponents((candidate.probability > SURE).astype(np.uint8))
    held = [np.bincount(labels[part], minlength=count)[1:] / part.sum() > SURE for part in parts]
    return bool(np.logical_and.reduce(held).any())


def _merit(candidate: Candidate, salient: Mask) -> float:
    mask = candidate.probability > SURE
    agreement = float((mask & salient).sum() / max(1, (mask | salient).sum()))
    return candidate.score / 2 + agreement


def _best(picture: Pixels, candidates: Sequence[Candidate]) -> Found | None:
    candidate = max(candidates, key=lambda candidate: candidate.score)
    return _found(picture, candidate.probability, candidate.probability > SURE, candidate.score, candidates)


def _found(
    picture: Pixels, probability: Probability, mask: Mask, score: float, candidates: Sequence[Candidate]
) -> Found | None:
    if not MIN_PRODUCT <= float(mask.mean()) <= MAX_PRODUCT:
        return None
    certainty = float(np.abs(probability[mask] - 0.5).mean() * 2)
    mask = open_coloured_ground(picture, open_holes(picture, mask, candidates))
    opened = open_between_bars(picture, mask, candidates)
    return Found(opened.mask, min(1.0, score * certainty), opened.doubtful)
