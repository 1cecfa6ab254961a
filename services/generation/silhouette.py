"""What a cut-out covers: its solid part and its glass, but not a shadow that it brings along."""

import cv2
import numpy as np

from common.imaging.codec import Mask
from services.generation.srgb import Light

SOLID, SEEN = 0.5, 0.06
"""Minimum alpha of what is solid, and of what is seen of glass."""
WIDE = 7
"""Minimum width of glass, in pixels: a soft edge is narrower."""
LIT = 0.03
"""Minimum light of what is clear and no shadow, 0 to 1."""


def silhouette(layer: Light) -> Mask:
    """Return what a product covers, (h, w) bool.

    Args:
        layer: (h, w, 4), linear, premultiplied.
    """
    alpha = layer[..., 3]
    solid, seen = np.asarray(alpha > SOLID), np.asarray(alpha > SEEN)
    wide = np.ones((WIDE, WIDE), np.uint8)
    glass = cv2.morphologyEx((seen & ~solid).astype(np.uint8), cv2.MORPH_OPEN, wide, borderValue=0)
    if not glass.any():
        return solid
    clear = seen & (cv2.dilate(glass, wide) > 0)
    dark = np.asarray(clear & (layer[..., :3].max(axis=-1) <= LIT * alpha))
    return np.asarray(solid | (clear & ~(dark & _reaching_out(dark, ~seen))))


def _reaching_out(regions: Mask, outside: Mask) -> Mask:
    """Return the connected regions of a mask that touch what is outside, or the border of the picture."""
    count, labels = cv2.connectedComponents(regions.astype(np.uint8), connectivity=4)
    beside = cv2.dilate(np.pad(outside, 1, constant_values=True).astype(np.uint8), np.ones((3, 3), np.uint8))[
        1:-1, 1:-1
    ]
    reaches = np.bincount(labels.ravel(), beside.ravel(), count) > 0
    reaches[0] = False
    return np.asarray(reaches[labels])
