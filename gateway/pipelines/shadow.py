"""The shadow an object casts on what it stands on: left behind, it would show that something stood there."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.runtime.image import Pixels

Mask = NDArray[np.uint8]

FOOT = 0.2
"""How far above and below an object's foot its ground is looked at, as a part of its height."""
BESIDE = 0.7
"""How far to both sides a shadow may fall, in widths of the object."""
LIT = 80
"""The ground where light falls on it: brighter than so many percent of what is around the foot."""
DARK, LEAST_LIGHT = 0.93, 0.3
"""A shadow has less than the first part of the ground's light, and more than the second."""
SAME_COLOUR = 0.012
"""How much a shadow's colour may differ from the ground's: each channel's share of the whole light."""
LARGEST = 2.0
"""What is larger, in areas of the object, is no shadow of it."""
PENUMBRA = 0.06
"""How far a shadow's soft edge reaches, as a part of the object's width."""


def shadow_of(picture: Pixels, mask: Mask) -> Mask:
    """Find the shadow that touches an object.

    A pixel in shadow has the ground's colour with less light (as in Horprasert et al., "A Statistical Approach for
    Real-time Robust Background Subtraction and Shadow Detection", 1999); what is so and touches the object is its.

    Args:
        picture: (H, W, 3).
        mask: (H, W), 255 where the object is, 0 elsewhere.

    Returns:
        (H, W), 255 where its shadow is.
    """
    shadow = np.zeros_like(mask)
    left, top, width, height = cv2.boundingRect(mask)
    reach, side = round(FOOT * height), round(BESIDE * width)
    rows = slice(max(0, top + height - 2 * reach), top + height + reach)
    columns = slice(max(0, left - side), left + width + side)
    ground, object_there = picture[rows, columns].astype(np.float32) + 1, mask[rows, columns] > 0
    light = ground.sum(axis=2)
    if object_there.all():
        return shadow
    bright = light >= np.percentile(light[~object_there], LIT)
    lit = np.median(ground[bright & ~object_there], axis=0)
    share = light / lit.sum()
    colour = np.abs(ground / light[..., None] - lit / lit.sum()).max(axis=2)
    dark = (share > LEAST_LIGHT) & (share < DARK) & (colour < SAME_COLOUR)
    # Through the object: its shadow may touch it on both sides.
    _, parts = cv2.connectedComponents((dark | object_there).astype(np.uint8))
    touching = np.isin(parts, np.unique(parts[object_there])) & dark & ~object_there
    if touching.sum() > LARGEST * object_there.sum():
        return shadow
    penumbra = 2 * round(PENUMBRA * width) + 1
    shadow[rows, columns] = cv2.dilate(touching.astype(np.uint8) * 255, np.ones((penumbra, penumbra), np.uint8))
    return shadow
