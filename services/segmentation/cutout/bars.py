"""Thin straight bars in front of a ground: the spokes of a wheel, the wires of a rack."""

from typing import Literal

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels

LONG = 0.022
"""Least length of what is seen of a bar, over the longer side of the picture."""
GOES_ON = 0.8
"""How far a bar is followed beyond both ends of what is seen of it, over its length."""

Look = Literal["darker", "lighter", "either"]


def thin_bars(picture: Pixels, look: Look, stands_out: float, thick: float) -> Mask:
    """Return what is thin, straight, and darker or lighter than what is beside it.

    Args:
        picture: (H, W, 3).
        look: How the bars look.
        stands_out: How much darker or lighter a bar is, at least (L of 255).
        thick: Most width of a bar, over the longer side of the picture.

    Returns:
        (H, W) bool; True marks bars.
    """
    lightness = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0]
    side = max(picture.shape[:2])
    beside = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(1, round(thick * side)) + 1,) * 2)
    thin = np.zeros(lightness.shape, np.uint8)
    for how, name in ((cv2.MORPH_BLACKHAT, "darker"), (cv2.MORPH_TOPHAT, "lighter")):
        if look in (name, "either"):
            thin |= (cv2.morphologyEx(lightness, how, beside) > stands_out).astype(np.uint8)
    lines = np.zeros_like(thin)
    found = cv2.createLineSegmentDetector().detect(lightness)[0]
    for line in np.zeros((0, 4)) if found is None else np.reshape(found, (-1, 4)):
        one, other = line[:2], line[2:]
        if np.hypot(*(other - one)) >= LONG * side:
            more = GOES_ON * (other - one)
            ends = np.round([one - more, other + more]).astype(int).tolist()
            cv2.line(lines, ends[0], ends[1], 1, 3)
    return np.asarray(lines & thin, np.bool_)
