"""Products that the frame cuts: saliency may see a part of them only, such as the handle of a bag."""

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels
from services.segmentation.engines.base import Prompt, PromptPoint, Segmenter

BORDER = 2
"""Distance from the frame at which a product touches it, in pixels."""
MOST_SIDES = 2
"""How many sides of the frame the whole touches, at most: a wall of the product's colour touches more."""
HELD, LARGER = 0.9, 1.25
"""Least part of what is known that the whole holds, and how much larger it is, at least."""
ALIKE = 12.0
"""Most difference between the colours (medians, CIE76) of what is known and of what the whole adds."""


def whole_at_frame(picture: Pixels, mask: Mask, segmenter: Segmenter) -> Mask | None:
    """Return the whole of a product of which a mask holds the part that touches the frame.

    That is what the segmenter finds around the middle of the part, if it holds the part and goes on in its colour.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the part.
        segmenter: Segments prompts.

    Returns:
        (H, W) bool; None if the mask does not touch the frame, or nothing larger is found.
    """
    if not segmenter.segments_anything or not _sides(mask):
        return None
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5))
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    for candidate in segmenter.segment(picture, Prompt((PromptPoint(x, y, on_object=True),))):
        whole = candidate.probability > 0.5
        is_more = (whole & mask).sum() >= HELD * mask.sum() and whole.sum() >= LARGER * mask.sum()
        if not is_more or _sides(np.asarray(whole | mask)) > MOST_SIDES:
            continue
        known, added = (np.median(lab[part], axis=0) for part in (mask, whole & ~mask))
        if float(np.linalg.norm(known - added)) <= ALIKE:
            return np.asarray(whole | mask)
    return None


def _sides(mask: Mask) -> int:
    """Return how many sides of the frame a mask touches."""
    return sum(bool(side.any()) for side in (mask[:BORDER], mask[-BORDER:], mask[:, :BORDER], mask[:, -BORDER:]))
