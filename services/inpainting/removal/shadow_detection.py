"""Detects the shadow an object casts on what it stands on: left behind, it would show that something stood there."""

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels

FOOT = 0.2
"""How far above and below its foot the ground of an object is examined, as a fraction of its height."""
BESIDE = 0.7
"""How far a shadow may fall to either side, in widths of the object."""
LIT = 80
"""Lit ground is brighter than this percentile of the brightness around the foot."""
MAX_LIGHT, MIN_LIGHT = 0.93, 0.3
"""Light in a shadow, as a fraction of that on lit ground."""
SAME_COLOUR = 0.012
"""Maximum difference between the chromaticities of shadow and lit ground, per channel."""
MAX_AREA = 2.0
"""A larger region, in areas of the object, is not its shadow."""
PENUMBRA = 0.06
"""Width of the soft edge of a shadow, as a fraction of the width of the object."""


def detect_shadow(picture: Pixels, mask: Mask) -> Mask:
    """Detect the shadow that touches an object.

    A pixel in shadow has the colour of the ground with less light (Horprasert et al., "A Statistical Approach for
    Real-time Robust Background Subtraction and Shadow Detection", 1999). Such a region belongs to the object if it
    touches it.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the object.

    Returns:
        (H, W) bool; True marks the shadow.
    """
    shadow = np.zeros_like(mask)
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    reach, side = round(FOOT * height), round(BESIDE * width)
    rows = slice(max(0, top + height - 2 * reach), top + height + reach)
    columns = slice(max(0, left - side), left + width + side)
    ground, object_there = picture[rows, columns].astype(np.float32) + 1, mask[rows, columns]
    light = ground.sum(axis=2)
    if object_there.all():
        return shadow
    bright = light >= np.percentile(light[~object_there], LIT)
    lit = np.median(ground[bright & ~object_there], axis=0)
    share = light / lit.sum()
    colour = np.abs(ground / light[..., None] - lit / lit.sum()).max(axis=2)
    dark = (share > MIN_LIGHT) & (share < MAX_LIGHT) & (colour < SAME_COLOUR)
    # Label through the object: its shadow may touch it on both sides.
    _, parts = cv2.connectedComponents((dark | object_there).astype(np.uint8))
    touching = np.isin(parts, np.unique(parts[object_there])) & dark & ~object_there
    if touching.sum() > MAX_AREA * object_there.sum():
        return shadow
    penumbra = 2 * round(PENUMBRA * width) + 1
    shadow[rows, columns] = cv2.dilate(touching.astype(np.uint8), np.ones((penumbra, penumbra), np.uint8)) > 0
    return shadow
