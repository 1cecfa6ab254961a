"""The ground behind a product, as predicted from what is seen around it."""

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask
from services.segmentation.cutout.matting import part_of

SIDE = 256
"""Longer side at which the ground is predicted, in pixels."""
WINDOWS = (5, 9, 17, 33, 65, 129, 257)
"""Sides of the windows from whose ground a pixel is predicted, the smallest that holds enough of it, in pixels."""
ENOUGH = 0.12
"""Part of a window that must be ground."""
STRETCHED = 6
"""How much longer than high a window is that follows the horizon, or higher than long."""
LIGHTNESS, CHROMA = 3.0, 2.0
"""Noise of a smooth ground (CIE76); added to the spread of its texture."""
SHADOW = 0.15
"""How much darker the ground may be, as a fraction, where the product shades it."""
FAR = 99.0
"""Distance of what cannot be predicted."""


def distance_from_ground(lab: MatLike, ground: Mask) -> MatLike:
    """Return how far each pixel is from the ground that is expected there, in deviations: the nearest of three.

    The ground is the same on all sides, or continues along the horizon, or along the vertical.
    """
    height, width = ground.shape
    seen = _reduced(lab, ground)
    nearest = np.full(ground.shape, FAR, np.float32)
    left, top, across, down = cv2.boundingRect((~ground).astype(np.uint8))
    box = slice(top, top + down), slice(left, left + across)  # elsewhere, nobody asks
    for stretch in ((1, 1), (STRETCHED, 1), (1, STRETCHED)):
        predicted = _predicted(*seen, *stretch)
        mean, spread, known = (part_of(plane, box, height, width) for plane in predicted)
        distance = _distance(lab[box], mean, spread)
        nearest[box] = np.minimum(nearest[box], np.where(known < 1, FAR, distance))
    return nearest


def mean_ground(picture: MatLike, ground: Mask) -> MatLike:
    """Return the mean colour of the ground near each pixel, (h, w, 3), at reduced size.

    Args:
        picture: (H, W, 3) float32.
        ground: (H, W) bool; True marks the ground.
    """
    return _predicted(*_reduced(picture, ground), 1, 1)[0]


def _reduced(picture: MatLike, ground: Mask) -> tuple[MatLike, MatLike, MatLike]:
    """Return the part of each pixel that is ground, (h, w), and its colours and their squares, times that part."""
    height, width = ground.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    share = ground.astype(np.float32)
    colours = picture * share[..., None]
    planes = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (share, colours, picture * colours))
    reduced, weighted, squared = planes
    return reduced, weighted, squared


def _predicted(
    share: MatLike, weighted: MatLike, squared: MatLike, across: int, down: int
) -> tuple[MatLike, MatLike, MatLike]:
    """Return mean (h, w, 3) and spread (h, w, 2: lightness, chroma) of the ground near each pixel, and where known."""
    mean, spread = np.zeros_like(weighted), np.zeros((*share.shape, 2), np.float32)
    known = np.zeros(share.shape, np.bool_)
    for side in WINDOWS:
        window = (max(3, side // (down if down > 1 else 1)) | 1, max(3, side // (across if across > 1 else 1)) | 1)
        held = cv2.blur(share, window, borderType=cv2.BORDER_CONSTANT)
        new = (held > ENOUGH) & ~known
        if not new.any():
            continue
        total = np.maximum(held, 1e-6)[..., None]
        here = cv2.blur(weighted, window, borderType=cv2.BORDER_CONSTANT) / total
        variance = np.maximum(cv2.blur(squared, window, borderType=cv2.BORDER_CONSTANT) / total - here * here, 0)
        mean[new] = here[new]
        spread[new] = np.sqrt(np.stack([variance[..., 0], variance[..., 1] + variance[..., 2]], -1))[new]
        known |= new
    return mean, spread, known.astype(np.float32)


def _distance(lab: MatLike, mean: MatLike, spread: MatLike) -> MatLike:
    lighter = lab[..., 0] - mean[..., 0]
    lightness = np.where(lighter < 0, np.minimum(lighter + SHADOW * mean[..., 0], 0), lighter)
    ratio = np.clip(lab[..., 0] / np.maximum(mean[..., 0], 1), 0.5, 1.2)[..., None]
    chroma = np.linalg.norm(lab[..., 1:] - mean[..., 1:] * ratio, axis=-1)
    return np.asarray(
        np.hypot(lightness / np.hypot(LIGHTNESS, spread[..., 0]), chroma / np.hypot(CHROMA, spread[..., 1])), np.float32
    )
