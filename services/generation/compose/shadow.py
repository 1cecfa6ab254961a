"""The contact shadow: what makes a product stand instead of float."""

import cv2
import numpy as np

from services.generation.compose.layout import Place, Size
from services.generation.light import Light

FOOT = 0.1
"""The lowest part of the product, as a part of its height, that is near enough to the floor to shade it."""
LAYERS = ((0.015, 0.5), (0.06, 0.35))
"""Blur as a part of the product's width, and strength: a dark line of contact, and a soft pool around it."""


def contact_shadow(alpha: Light, place: Place, ad: Size) -> Light:
    """Give how much light reaches the floor under the product.

    Args:
        alpha: (h, w), 0 to 1: the product at its size in the ad.
        place: Where it stands in the ad.
        ad: The ad's size.

    Returns:
        (H, W) of the ad's size: 1 where there is no shadow.
    """
    height, width = alpha.shape
    depth = max(1, round(FOOT * height))
    rows = np.arange(depth, 0, -1, dtype=np.float32)[:, None] / depth
    # A column shades the floor the more the nearer its lowest part is to the floor.
    foot: Light = (alpha[height - depth :] * (1 - rows + 1 / depth)).max(axis=0)
    lit: Light = np.ones((ad.height, ad.width), np.float32)
    line = min(place.top + height, ad.height) - 1
    thickness = max(1, round(0.02 * width))
    for blur, strength in LAYERS:
        layer = np.zeros_like(lit, dtype=np.float32)
        layer[max(0, line - thickness) : line + 1, place.left : place.left + width] = foot
        sigma = max(0.8, blur * width)
        blurred = cv2.GaussianBlur(layer, (0, 0), sigmaX=sigma, sigmaY=max(0.7, sigma * 0.45))
        peak = float(blurred.max())
        if peak > 0:
            lit *= 1 - strength * blurred / peak
    return lit
