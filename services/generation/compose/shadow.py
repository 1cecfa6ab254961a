"""Shadows, which make a product stand in a scene instead of floating before it.

Each function gives how much light is left, (H, W) of the ad's size, 1 where there is no shadow.
"""

import cv2
import numpy as np

from services.generation.background.engine import SceneLight
from services.generation.compose.layout import Place, Size
from services.generation.light import Light

FOOT = 0.1
"""The lowest part of the product, as a part of its height, that is near enough to the floor to shade it."""
CONTACT = ((0.015, 0.5), (0.06, 0.35))
"""Blur as a part of the product's width, and strength: a dark line of contact, and a soft pool around it."""
FORESHORTENING = 0.24
"""How much of its depth a floor shows to a camera that looks down a little."""
LONGEST = 0.85
"""A cast shadow reaches at most so far to the side, in heights of the product."""
SLICES = 4
"""A cast shadow is softer the farther from the floor what casts it is: it is blurred in so many steps."""
BLUR = (0.012, 0.075)
"""Of the nearest and the farthest slice, as a part of the product's height."""
TINT = 0.35
"""How much of the scene's colour is left in its shadows."""


def contact_shadow(alpha: Light, place: Place, ad: Size) -> Light:
    """Give the light under the product where it touches the floor.

    Args:
        alpha: (h, w), 0 to 1: the product at its size in the ad.
        place: Where it stands in the ad.
        ad: The ad's size.
    """
    height, width = alpha.shape
    depth = max(1, round(FOOT * height))
    rows = np.arange(depth, 0, -1, dtype=np.float32)[:, None] / depth
    # A column shades the floor the more the nearer its lowest part is to the floor.
    foot: Light = (alpha[height - depth :] * (1 - rows + 1 / depth)).max(axis=0)
    lit: Light = np.ones((ad.height, ad.width), np.float32)
    line = min(place.top + height, ad.height) - 1
    thickness = max(1, round(0.02 * width))
    for blur, strength in CONTACT:
        layer = np.zeros_like(lit, dtype=np.float32)
        layer[max(0, line - thickness) : line + 1, place.left : place.left + width] = foot
        sigma = max(0.8, blur * width)
        blurred = cv2.GaussianBlur(layer, (0, 0), sigmaX=sigma, sigmaY=max(0.7, sigma * 0.45))
        peak = float(blurred.max())
        if peak > 0:
            lit *= 1 - strength * blurred / peak
    return lit


def cast_shadow(alpha: Light, place: Place, ad: Size, light: SceneLight) -> Light:
    """Give the light that the product's own shadow leaves: its outline, laid onto the floor away from the light.

    Args:
        alpha: (h, w), 0 to 1: the product at its size in the ad.
        place: Where it stands in the ad.
        ad: The ad's size.
        light: Where the light comes from, and how dark its shadow is.
    """
    height = alpha.shape[0]
    aside = float(np.clip(-light.right / light.up, -LONGEST, LONGEST))
    back = float(np.clip(light.towards / light.up, -LONGEST, LONGEST)) * FORESHORTENING
    foot = place.top + height
    # A point of the product at height t shades the floor at (x + aside * t, foot - back * t), t = height - row.
    onto_floor = np.array([[1, -aside, place.left + aside * height], [0, back, foot - back * height]], np.float32)
    above = (np.arange(height, 0, -1, dtype=np.float32) - 0.5)[:, None] / height
    shade: Light = np.zeros((ad.height, ad.width), np.float32)
    for number in range(SLICES):
        middle = (number + 0.5) / SLICES
        part = alpha * np.clip(1.5 - SLICES * np.abs(above - middle), 0, 1) * (1 - 0.75 * middle)
        laid = cv2.warpAffine(part.astype(np.float32), onto_floor, (ad.width, ad.height), flags=cv2.INTER_LINEAR)
        sigma = max(0.7, height * (BLUR[0] + (BLUR[1] - BLUR[0]) * middle))
        shade = np.maximum(shade, cv2.GaussianBlur(laid, (0, 0), sigma))
    return np.asarray(1 - light.shadow * shade)


def tinted(lit: Light, scene: Light) -> Light:
    """Give shadows a trace of the scene's colour, as light from everywhere has it.

    Args:
        lit: (H, W): the light that is left.
        scene: (H, W, 3): the scene without the product.

    Returns:
        (H, W, 3): what to multiply the scene by.
    """
    colour = scene.mean(axis=(0, 1))
    tint = np.clip(colour / max(float(colour.mean()), 1e-4), 0, 2) - 1
    return np.asarray(np.clip(1 - (1 - lit[..., None]) * (1 - TINT * tint), 0, 1))
