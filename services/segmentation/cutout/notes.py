"""What people should look at in a cutout, as reasons. gateway/notes.py has the sentences."""

from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Pixels
from services.segmentation.cutout.matting import Plane
from services.segmentation.cutout.product import Found, working_copy

DOUBTFUL = 0.02
"""Part of a product that may be openings and is told of."""
ANOTHER = 0.15
"""Area of another object, as a fraction of the largest."""
CUT = 0.03
"""Part of a side of the frame that a product touches if it goes on beyond it."""
SMALL = 400
"""Longer side of a small product, in pixels."""
SHARP = 512
"""Longer side at which sharpness is judged, in pixels."""
BLURRED = 0.58
"""Maximum blur (Crete et al., "The Blur Effect", 2007), 0 to 1."""
BLUR_WINDOW = 9
UNSURE = 0.72
"""Minimum confidence."""


def notes_on(
    photo: Pixels, alpha: Plane, found: Found, *, is_judged: bool = True, is_glass: bool = False
) -> Iterator[str]:
    """Yield the reasons to look at a cutout.

    Args:
        photo: (H, W, 3).
        alpha: (H, W), 0 to 1.
        found: The product that alpha was made from.
        is_judged: Whether its confidence says anything: GrabCut has none.
        is_glass: Whether the product is see-through.
    """
    mask = (alpha > 0.5).astype(np.uint8)
    if not mask.any():
        return
    if is_glass:
        yield "GLASS"
    elif found.doubtful > DOUBTFUL:
        yield "GROUND_INSIDE"
    yield from _notes_on_mask(photo, mask)
    if is_judged and found.score < UNSURE:
        yield "UNSURE"


def _notes_on_mask(photo: Pixels, mask: MatLike) -> Iterator[str]:
    left, top, width, height = cv2.boundingRect(mask)
    if _large_parts(mask) > 1:
        yield "SEVERAL_PRODUCTS"
    if max(float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) > CUT:
        yield "CUT_BY_FRAME"
    if _blur(photo[top : top + height, left : left + width]) > BLURRED:
        yield "BLURRED"
    if max(width, height) < SMALL:
        yield "SMALL"


def _large_parts(mask: MatLike) -> int:
    small, _ = working_copy(np.asarray(mask, np.uint8), SHARP)
    _, _, stats, _ = cv2.connectedComponentsWithStats(small)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return int((areas > ANOTHER * areas.max(initial=0)).sum())


def _blur(photo: Pixels) -> float:
    """Return how little a further blur changes a picture, 0 (sharp) to 1."""
    grey = cv2.cvtColor(working_copy(photo, SHARP)[0], cv2.COLOR_RGB2GRAY).astype(np.float32)
    worst = 0.0
    for axis in (0, 1):
        window = (1, BLUR_WINDOW) if axis == 0 else (BLUR_WINDOW, 1)
        before = np.abs(np.diff(grey, axis=axis))
        after = np.abs(np.diff(cv2.blur(grey, window), axis=axis))
        lost = float(np.maximum(0, before - after).sum())
        worst = max(worst, 1 - lost / max(1e-6, float(before.sum())))
    return worst
