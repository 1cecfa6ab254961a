"""Removing objects from a picture: with the shadows they cast and a fringe around them."""

from collections.abc import Sequence

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels
from services.inpainting.engines.base import Inpainter
from services.inpainting.fill.fill import FillOptions, fill
from services.inpainting.removal.shadow_detection import detect_shadow

MIN_FRINGE = 4
"""Minimum width of the fringe, in pixels."""


def remove_objects(
    picture: Pixels, objects: Sequence[Mask], engine: Inpainter, options: FillOptions, fringe: float
) -> Pixels:
    """Remove objects. Pixels away from them are returned unchanged, byte for byte.

    Args:
        picture: (H, W, 3).
        objects: Masks of (H, W) bool; True marks the object.
        engine: Inpainting engine selected by the registry.
        options: Cropping and batching options.
        fringe: Width of the fringe around each object, as a fraction of the longer image side.

    Returns:
        (H, W, 3); the picture itself if there are no objects.

    Raises:
        PreconditionError: The objects cover the whole picture.
    """
    if not objects:
        return picture
    return fill(picture, removal_mask(picture, objects, fringe), engine, options)


def removal_mask(picture: Pixels, objects: Sequence[Mask], fringe: float) -> Mask:
    """Join the masks of objects with their shadows and a fringe.

    Args:
        picture: (H, W, 3).
        objects: Masks of (H, W) bool, at least one.
        fringe: Width of the fringe around each object, as a fraction of the longer image side.

    Returns:
        (H, W) bool; True marks pixels to fill.
    """
    radius = max(MIN_FRINGE, round(fringe * max(picture.shape)))
    square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    widened = cv2.dilate(np.logical_or.reduce(objects).astype(np.uint8), square) > 0
    return np.asarray(np.logical_or.reduce([widened, *(detect_shadow(picture, mask) for mask in objects)]))
