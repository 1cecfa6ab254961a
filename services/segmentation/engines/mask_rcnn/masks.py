"""Final step of both engines: from masks in boxes to full-size masks and their bounding boxes."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from services.segmentation.engines.base import Box, FoundObject

MIN_SCORE = 0.05
"""Minimum score of a detection, whatever the query asks for."""


def to_objects(
    labels: list[str],
    scores: list[float],
    boxes: NDArray[np.float32],
    masks: NDArray[np.float32],
    height: int,
    width: int,
) -> Iterator[FoundObject]:
    """Yield objects with full-size masks; those without a pixel in the picture are dropped.

    Args:
        labels: Class names of n objects.
        scores: n scores, 0 to 1.
        boxes: (n, 4) as left, top, right, bottom, in picture pixels.
        masks: (n, s, s), 0 to 1: probability that each cell of the box belongs to the object.
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
    """
    for label, score, box, mask in zip(labels, scores, boxes, masks, strict=True):
        solid = paste(mask, box, height, width)
        left, top, box_width, box_height = cv2.boundingRect(solid.astype(np.uint8))
        if box_width:
            yield FoundObject(label, score, Box(left, top, left + box_width, top + box_height), solid)


def paste(mask: NDArray[np.float32], box: NDArray[np.float32], height: int, width: int) -> NDArray[np.bool_]:
    """Scale a mask to its box and paste it into an empty picture.

    Args:
        mask: (s, s), 0 to 1.
        box: (4,) left, top, right, bottom, in pixels; clipped to the picture.
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.

    Returns:
        (height, width) bool; True where the mask exceeds 0.5 at the pixel centre.
    """
    solid = np.zeros((height, width), np.bool_)
    left, top, right, bottom = (float(side) for side in box)
    first_x, first_y = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    last_x, last_y = min(width, int(np.ceil(right))), min(height, int(np.ceil(bottom)))
    if first_x >= last_x or first_y >= last_y or right <= left or bottom <= top:
        return solid
    across, down = mask.shape[1] / (right - left), mask.shape[0] / (bottom - top)
    # Pixel centres lie at half-integers; a border of zeros ends the mask beyond the box.
    towards = np.array(
        [[across, 0, (first_x + 0.5 - left) * across + 0.5], [0, down, (first_y + 0.5 - top) * down + 0.5]]
    )
    framed = np.pad(mask, 1).astype(np.float32)
    size = last_x - first_x, last_y - first_y
    scaled = cv2.warpAffine(framed, towards, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    solid[first_y:last_y, first_x:last_x] = scaled > 0.5
    return solid
