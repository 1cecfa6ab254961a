"""The reflection of a product in a shiny floor."""

import cv2
import numpy as np

from services.generation.compose.layout import Place, Size
from services.generation.light import Light

DEPTH = 0.45
"""How far down it reaches, as a part of the product's height."""
BLUR = 0.012
"""As a part of the product's height: floors are not mirrors."""


def reflection(layer: Light, place: Place, ad: Size, reflectance: float) -> Light:
    """Give the product upside down below its foot, fading downwards.

    Args:
        layer: (h, w, 4), premultiplied: the product at its size in the ad.
        place: Where it stands in the ad.
        ad: The ad's size.
        reflectance: How much of the light comes back, 0 to 1.

    Returns:
        (H, W, 4), premultiplied, of the ad's size.
    """
    shown: Light = np.zeros((ad.height, ad.width, 4), np.float32)
    foot = place.top + place.height
    deep = min(round(DEPTH * place.height), ad.height - foot)
    if deep <= 0:
        return shown
    fade = (1 - (np.arange(deep, dtype=np.float32) + 0.5) / (DEPTH * place.height)) ** 1.5
    upside_down = layer[::-1][:deep] * (reflectance * fade)[:, None, None]
    shown[foot : foot + deep, place.left : place.left + place.width] = upside_down
    blurred = np.asarray(cv2.GaussianBlur(shown, (0, 0), max(0.6, BLUR * place.height)), np.float32)
    blurred[:foot] = 0
    return blurred
