"""Scaling in linear light, once, with sharpening after downscaling."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.geometry import Size
from services.generation.srgb import Light

SHRINKS = 0.7
"""Scale factor below which a picture is sharpened."""
RADIUS, AMOUNT = 0.8, 0.4
"""Unsharp mask: Gaussian sigma in creative pixels, and the fraction of the difference that is added."""


def scaled(light: Light, size: Size) -> Light:
    """Scale to a size: area averaging to shrink, bicubic interpolation to enlarge.

    Args:
        light: (H, W, 3), or (H, W, 4) premultiplied by alpha; 0 to 1.
        size: Target size.
    """
    scale = size.width / light.shape[1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = _within(cv2.resize(light, (size.width, size.height), interpolation=how))
    return sharpened(resized) if scale < SHRINKS else resized


def sharpened(light: Light) -> Light:
    """Apply an unsharp mask to the colours. Alpha is unchanged, and transparent pixels do not contribute."""
    if light.shape[2] == 3:
        return _within(light + AMOUNT * (light - cv2.GaussianBlur(light, (0, 0), RADIUS)))
    alpha = light[..., 3:]
    blurred = cv2.GaussianBlur(light, (0, 0), RADIUS)
    around = blurred[..., :3] / np.maximum(blurred[..., 3:], 1e-4) * alpha
    colours = np.clip(light[..., :3] + AMOUNT * (light[..., :3] - around), 0, alpha)
    return np.dstack([colours, alpha])


def _within(light: NDArray[Any]) -> Light:
    return np.asarray(np.clip(light, 0, 1), np.float32)
