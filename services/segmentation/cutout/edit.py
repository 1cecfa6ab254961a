"""Changes of a cutout by hand: prompts and strokes add to the mask that there is, and take away from it."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.matting import Plane, clean, refine, tiles
from services.segmentation.cutout.product import MAX_PRODUCT, SURE, scaled, search_copy
from services.segmentation.engines.base import Candidate, Prompt, PromptPoint, Segmenter

MOST_TAKEN = 0.8
"""Part of the product that a point may take away; a candidate that takes more means the product itself."""
SOFT = (3, 3)
"""Window that softens the edge of a brush, in pixels."""
REACH = 0.012
"""How far from a change alpha is computed again, as a fraction of the longer side."""


Drawn = NDArray[np.int8]
"""What a brush did, (H, W): 1 where it adds, -1 where it takes away, 0 elsewhere."""


def edit(
    photo: Pixels, base: Plane, prompt: Prompt | None, drawn: Drawn | None, segmenter: Segmenter, size: int
) -> Plane:
    """Change a mask by prompts, then by a brush. Far from what changes, alpha stays as it is.

    What a prompt adds gets the edge that the photo shows; a brush is taken literally.

    Args:
        photo: (H, W, 3).
        base: Alpha that there is, (H, W), 0 to 1.
        prompt: Points on the product and the box add what is there; other points take it away.
        drawn: What a brush did, if anything.
        segmenter: Segments what the prompts mean.
        size: Longer side at which alpha is computed before it is applied at full size, in pixels.

    Returns:
        (H, W), 0 to 1.
    """
    alpha = _with_prompt(photo, base, prompt, segmenter, size) if prompt else base
    return alpha if drawn is None else _painted(alpha, drawn)


def _painted(alpha: Plane, drawn: Drawn) -> Plane:
    painted = alpha.copy()
    for tile in tiles(*cv2.boundingRect((drawn != 0).view(np.uint8))):
        for sign in (1, -1):
            share = cv2.blur((drawn[tile] == sign).astype(np.float32), SOFT)
            painted[tile] += share * ((sign > 0) - painted[tile])
    return painted


def _with_prompt(photo: Pixels, base: Plane, prompt: Prompt, segmenter: Segmenter, size: int) -> Plane:
    present = base > SURE
    wanted = _prompted(photo, present, prompt, segmenter)
    changed = (wanted != present).astype(np.uint8)
    if not changed.any():
        return base
    reach = max(3, round(REACH * max(base.shape)))
    far = cv2.dilate(changed, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) == 0
    alpha = refine(photo, wanted, size)
    np.copyto(alpha, base, where=np.asarray(far))
    return alpha


def _prompted(photo: Pixels, present: Mask, prompt: Prompt, segmenter: Segmenter) -> Mask:
    working, scale = search_copy(photo)
    small = scaled(prompt, scale, working)
    height, width = working.shape[:2]
    mask = np.asarray(cv2.resize(present.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)
    added, taken = np.zeros_like(mask), np.zeros_like(mask)
    if small.box or any(point.on_object for point in small.points):
        added = clean(_meant(segmenter.segment(working, small), MAX_PRODUCT))
    for point in small.points:
        if not point.on_object and mask[point.y, point.x]:
            others = tuple(PromptPoint(other.x, other.y, on_object=False) for other in small.points if other.on_object)
            there = Prompt((PromptPoint(point.x, point.y, on_object=True), *others))
            most = MOST_TAKEN * float(mask.mean())
            taken |= clean(_meant(segmenter.segment(working, there), most, within=mask))
    full = photo.shape[1], photo.shape[0]
    larger = [cv2.resize(part.astype(np.uint8) * 255, full, interpolation=cv2.INTER_LINEAR) for part in (added, taken)]
    return np.asarray((present | (larger[0] > 127)) & (larger[1] <= 127))


def _meant(candidates: Sequence[Candidate], most: float, within: Mask | None = None) -> Mask:
    """Return the best candidate that covers no more than a part of the picture; if all do, the smallest."""
    masks = [candidate.probability > SURE for candidate in candidates]
    if within is not None:
        masks = [mask & within for mask in masks]
    ranked = sorted(zip(candidates, masks, strict=True), key=lambda one: -one[0].score)
    fitting = [mask for _, mask in ranked if float(mask.mean()) <= most]
    return fitting[0] if fitting else min(masks, key=lambda mask: int(mask.sum()))
