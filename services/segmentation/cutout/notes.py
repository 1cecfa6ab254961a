"""What people should look at in a cutout, as reasons. gateway/notes.py has the sentences."""

from collections.abc import Iterator

import cv2
import numpy as np

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


def notes_on(photo: Pixels, alpha: Plane, found: Found, *, is_judged: bool = True) -> Iterator[str]:
    """Yield the reasons to look at a cutout.

    Args:
        photo: (H, W, 3).
        alpha: (H, W), 0 to 1.
        found: The product that alpha was made from.
        is_judged: Whether its confidence says anything: GrabCut has none.
    """
    mask = (alpha > 0.5).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return
    if found.doubtful > DOUBTFUL:
        yield "GROUND_INSIDE"
    small, _ = working_copy(mask, SHARP)
    _, _, stats, _ = cv2.connectedComponentsWithStats(small)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if (areas > ANOTHER * areas.max(initial=0)).sum() > 1:
        yield "SEVERAL_PRODUCTS"
    if max(float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])) > CUT:
        yield "CUT_BY_FRAME"
    if _blur(photo[top : top + height, left : left + width]) > BLURRED:
        yield "BLURRED"
    if max(width, height) < SMALL:
        yield "SMALL"
    if is_judged and found.score < UNSURE:
        yield "UNSURE"


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
