"""The reflection of a product in a shiny floor."""

import cv2
import numpy as np

from services.generation.geometry import Box, Size
from services.generation.srgb import Light

DEPTH = 0.45
"""Length of the reflection, as a fraction of the product height."""
BLUR = 0.012
"""Blur (Gaussian sigma), as a fraction of the product height: floors are not mirrors."""


def reflection(layer: Light, box: Box, ad: Size, reflectance: float) -> Light:
    """Return the product flipped upside down below its foot, fading downwards.

    Args:
        layer: Product at its size in the creative, (h, w, 4), premultiplied.
        box: Box of the product.
        ad: Size of the creative.
        reflectance: Fraction of light that the floor reflects, 0 to 1.

    Returns:
        (H, W, 4) float32, premultiplied, of the size of the creative.
    """
    shown: Light = np.zeros((ad.height, ad.width, 4), np.float32)
    foot = box.top + box.height
    deep = min(round(DEPTH * box.height), ad.height - foot)
    if deep <= 0:
        return shown
    fade = (1 - (np.arange(deep, dtype=np.float32) + 0.5) / (DEPTH * box.height)) ** 1.5
    upside_down = layer[::-1][:deep] * (reflectance * fade)[:, None, None]
    shown[foot : foot + deep, box.left : box.left + box.width] = upside_down
    blurred = np.asarray(cv2.GaussianBlur(shown, (0, 0), max(0.6, BLUR * box.height)), np.float32)
    blurred[:foot] = 0
    return blurred
