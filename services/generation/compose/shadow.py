"""Shadows, which make a product stand in a scene instead of floating in front of it.

Shadow functions return the fraction of light that remains, (H, W) of the size of the creative; 1 means no shadow.
"""

import math

import cv2
import numpy as np

from services.generation.geometry import Box, Size
from services.generation.placement.placement import Placement
from services.generation.srgb import Light

FOOT = 0.1
"""Height up to which the product is close enough to the floor to shade it, as a fraction of its height."""
CONTACT = ((0.015, 0.5), (0.06, 0.35))
"""Blur, as a fraction of the product width, and strength of a dark contact line and a soft pool around it."""
LONGEST = 0.85
"""Maximum reach of a cast shadow, sideways and in depth, in product heights."""
LEAST_BACK = 0.02
"""Visible depth of a cast shadow at least, in product heights."""
SLICES = 6
"""Number of blur steps of a cast shadow, which softens with the height of what casts it."""
FADES = 0.5
"""How much of a shadow is lost to light from around at the end that is farthest from its foot."""
BLUR = (0.012, 0.075)
"""Blur of the lowest and the highest slice (Gaussian sigma), as fractions of the product height."""
NARROW = 4
"""Smallest Gaussian (sigma) that a smaller picture is blurred with, in its pixels."""
TINT = 0.35
"""Strength of the scene's colour in its shadows, 0 to 1."""


def contact_shadow(alpha: Light, box: Box, ad: Size) -> Light:
    """Return the light that remains where the product touches the floor.

    Args:
        alpha: Alpha of the product at its size in the creative, (h, w), 0 to 1.
        box: Box of the product.
        ad: Size of the creative.
    """
    height, width = alpha.shape
    depth = max(1, round(FOOT * height))
    rows = np.arange(depth, 0, -1, dtype=np.float32)[:, None] / depth
    # The closer the lowest part of a column is to the floor, the darker its shadow.
    foot: Light = (alpha[height - depth :] * (1 - rows + 1 / depth)).max(axis=0)
    lit: Light = np.ones((ad.height, ad.width), np.float32)
    line = min(box.top + height, ad.height) - 1
    thickness = max(1, round(0.02 * width))
    for blur, strength in CONTACT:
        layer = np.zeros_like(lit, dtype=np.float32)
        layer[max(0, line - thickness) : line + 1, box.left : box.left + width] = foot
        sigma = max(0.8, blur * width)
        soft = blurred(layer, sigma, max(0.7, sigma * 0.45))
        peak = float(soft.max())
        if peak > 0:
            lit *= 1 - strength * soft / peak
    return lit


def cast_shadow(alpha: Light, box: Box, ad: Size, placement: Placement) -> Light:
    """Return the light that remains in the cast shadow: the outline, projected onto the floor away from the light.

    The product is taken to be as deep as it is thick at each height, so that a shadow that falls to the side has depth.

    Args:
        alpha: Alpha of the product at its size in the creative, (h, w), 0 to 1.
        box: Box of the product.
        ad: Size of the creative.
        placement: Direction of the light, darkness and softness of its shadows, and how far the camera looks down.
    """
    height, light = alpha.shape[0], placement.light
    foreshortening = math.sin(placement.pitch)
    aside = float(np.clip(-light.right / light.up, -LONGEST, LONGEST))
    back = float(np.clip(light.towards / light.up, -LONGEST, LONGEST)) * foreshortening
    back = math.copysign(max(LEAST_BACK, abs(back)), back)  # a projection onto a line has no inverse
    thick = _thickness(alpha)
    foot = box.top + height - foreshortening * thick[-max(1, round(FOOT * height)) :].max()
    # A point of the product at height t shades the floor at (x + aside * t, foot - back * t), t = height - row.
    onto_floor = np.array([[1, -aside, box.left + aside * height], [0, back, foot - back * height]], np.float32)
    above = (np.arange(height, 0, -1, dtype=np.float32) - 0.5)[:, None] / height
    shade: Light = np.zeros((ad.height, ad.width), np.float32)
    for number in range(SLICES):
        middle = (number + 0.5) / SLICES
        share = np.clip(1.5 - SLICES * np.abs(above - middle), 0, 1)
        if not share.any():
            continue  # a product of a few rows
        part = alpha * share * (1 - FADES * middle)
        laid = cv2.warpAffine(part.astype(np.float32), onto_floor, (ad.width, ad.height), flags=cv2.INTER_LINEAR)
        deep = 1 + 2 * round(foreshortening * float((thick[:, None] * share).sum() / share.sum()))
        deepened: Light = np.asarray(cv2.dilate(laid, np.ones((deep, 1), np.uint8)), np.float32)
        sigma = max(0.7, height * light.softness * (BLUR[0] + (BLUR[1] - BLUR[0]) * middle))
        shade = np.maximum(shade, blurred(deepened, sigma, sigma))
    return np.asarray(1 - light.shadow * shade)


def _thickness(alpha: Light) -> Light:
    """Return half the thickness of the product at each of its rows, (h,), in pixels."""
    solid = cv2.copyMakeBorder((alpha > 0.5).astype(np.uint8), 0, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    solid[-1] = solid[-2]  # it goes on below
    return np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 3)[:-1].max(axis=1), np.float32)


def blurred(layer: Light, sigma_x: float, sigma_y: float) -> Light:
    """Blur a layer with a Gaussian; a wide one through a smaller picture, which takes a fraction of the time.

    Args:
        layer: (H, W).
        sigma_x: Width of the Gaussian in pixels.
        sigma_y: Its height.

    Returns:
        (H, W); at most 0.005 from the exact blur.
    """
    factor = max(1, int(min(sigma_x, sigma_y) / NARROW))
    if factor == 1:
        return np.asarray(cv2.GaussianBlur(layer, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y))
    height, width = layer.shape
    around = math.ceil(3 * max(sigma_x, sigma_y) / factor) * factor
    below, right = around + -height % factor, around + -width % factor
    whole = cv2.copyMakeBorder(layer, around, below, around, right, cv2.BORDER_REFLECT_101)
    small = cv2.resize(whole, (whole.shape[1] // factor, whole.shape[0] // factor), interpolation=cv2.INTER_AREA)
    # Making it smaller and larger again blurs, too: their variances add up.
    wide, high = (math.sqrt(sigma**2 - factor**2 / 4) / factor for sigma in (sigma_x, sigma_y))
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=wide, sigmaY=high)
    large = cv2.resize(small, (whole.shape[1], whole.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[around : around + height, around : around + width])


def tinted(lit: Light, picture: Light) -> Light:
    """Tint shadows with the scene's mean colour, as ambient light does.

    Args:
        lit: Fraction of light that remains, (H, W).
        picture: Creative without the product, (H, W, 3).

    Returns:
        (H, W, 3): factor to multiply the picture by.
    """
    colour = picture.mean(axis=(0, 1))
    tint = np.clip(colour / max(float(colour.mean()), 1e-4), 0, 2) - 1
    return np.asarray(np.clip(1 - (1 - lit[..., None]) * (1 - TINT * tint), 0, 1))
