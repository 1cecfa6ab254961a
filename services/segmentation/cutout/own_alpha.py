"""Transparency of a photo itself: a product that is cut out already is told from transparency without meaning.

Screenshots have rounded corners, exports a transparent strip, and some tools leave one alpha everywhere.
"""

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels, rgb

VISIBLE = 128
MIN_HIDDEN = 0.01
"""Minimum fraction of hidden pixels in a photo that is cut out; a few stray soft ones do not count."""
RECTANGLE = 0.9
"""Part of its box that a whole photo fills, with rounded corners or without."""
SIDES = 3
"""Sides of the frame that a whole photo reaches, with a transparent strip along the other."""
BESIDE = 0.02
"""Width of the visible border whose colour hidden pixels are given, as a fraction of the longer side."""


def is_cut_out_already(photo: Pixels) -> bool:
    """Return whether the transparency of a photo, (H, W) to (H, W, 4), is the outline of a product."""
    if photo.ndim != 3 or photo.shape[2] != 4:
        return False
    visible = np.asarray(photo[..., 3] >= VISIBLE)
    if not visible.any() or float((~visible).mean()) < MIN_HIDDEN:
        return False
    height, width = visible.shape
    left, top, across, down = cv2.boundingRect(visible.astype(np.uint8))
    reached = (left == 0) + (top == 0) + (left + across == width) + (top + down == height)
    is_whole_photo = reached >= SIDES and float(visible.sum()) >= RECTANGLE * across * down
    return not is_whole_photo


def flattened(photo: Pixels) -> Pixels:
    """Return the colours of a photo, (H, W, 3); hidden pixels get the colour of what is beside them."""
    colours = rgb(photo)
    if photo.ndim != 3 or photo.shape[2] != 4:
        return colours
    visible = np.asarray(photo[..., 3] >= VISIBLE)
    if visible.all() or not visible.any():
        return colours
    filled = colours.copy()
    filled[~visible] = np.median(colours[_beside(visible)], axis=0)
    return filled


def _beside(visible: Mask) -> Mask:
    radius = max(2, round(BESIDE * max(visible.shape)))
    near = cv2.dilate((~visible).astype(np.uint8), np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)) > 0
    return np.asarray(near & visible)
