"""A light on what is behind the product, as in a studio: where its outline would be lost, a glow sets it apart."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.develop import on_film, undeveloped
from services.generation.engines.set.look import Lab
from services.generation.engines.set.panorama import LUMINANCE, Light
from services.generation.geometry import Box
from services.generation.outline import EDGE, sides
from services.generation.srgb import encode

APART = 22.0
"""Colour difference (CIE76) of the two sides of an outline from which it shows."""
DARK = 55.0
"""Lightness up to which a product is dark."""
BRIGHTER = 40.0
"""Lightness by which what is behind it is to be brighter in the middle of the glow; it fades towards the outline."""
MOST = 1.4
"""The brightest glow, over the mean luminance of the picture."""
WIDE = 0.8
"""Its width over the product's (Gaussian sigma)."""
RISES = 0.35
"""Height above the foot, over the product's, from which it is whole: the ground keeps its shadow."""
ENOUGH_PIXELS = 240
"""Side of a product at which its outline is looked at; larger ones are scaled down."""


def with_backlight(light: Light, layer: Light, box: Box, exposure: float) -> Light:
    """Add a glow behind a dark product before a dark ground; everything else stays as it is.

    Args:
        light: Picture without the product, (H, W, 3), not developed.
        layer: Product at its size in the picture, (h, w, 4), linear light of a display, premultiplied.
        box: Its place.
        exposure: Luminance that the picture's geometric mean gets when it is developed.
    """
    step = max(1, min(light.shape[:2]) // ENOUGH_PIXELS)
    unit = float(np.exp(np.log(light[::step, ::step] @ LUMINANCE + 1e-3).mean())) / exposure
    inside, behind = _sides(light, unit, layer, box)
    if inside[0] > DARK or np.linalg.norm(inside - behind) >= APART:
        return light
    wanted, present = (undeveloped(_luminance(lightness)) for lightness in (inside[0] + BRIGHTER, behind[0]))
    strength = min(float(wanted - present), MOST * exposure) * unit
    glow = _glow(box, light.shape[1], light.shape[0])
    return np.asarray(light + max(0.0, strength) * glow[..., None] * _colour(light, box), np.float32)


def _glow(box: Box, width: int, height: int) -> Light:
    """Return how much of the glow falls on each pixel, (height, width), 0 to 1."""
    down, across = np.mgrid[:height, :width].astype(np.float32)
    tall, wide = box.bottom - box.top, box.right - box.left
    away = np.hypot(across - (box.left + box.right) / 2, down - (box.top + box.bottom) / 2) / (WIDE * max(tall, wide))
    above = np.clip((box.bottom - down) / (RISES * tall), 0, 1)
    return np.asarray(np.exp(-(away**2) / 2) * above * above * (3 - 2 * above))


def _colour(light: Light, box: Box) -> Light:
    """Return the colour of the brighter parts of a picture beside the product, half as strong, of luminance 1."""
    beside = np.ones(light.shape[:2], np.bool_)
    beside[box.top : box.bottom, box.left : box.right] = False
    place = light[beside] if beside.any() else light.reshape(-1, 3)
    luminance = place @ LUMINANCE
    bright = place[luminance >= np.percentile(luminance, 70)].mean(axis=0)
    return np.asarray(0.5 + 0.5 * bright / max(float(bright @ LUMINANCE), 1e-6), np.float32)


def _luminance(lightness: float) -> Light:
    """Return the luminance of a lightness (CIE 1976), 0 to 1."""
    return np.asarray(((np.clip(lightness, 8, 96) + 16) / 116) ** 3)


def _sides(light: Light, unit: float, layer: Light, box: Box) -> tuple[Lab, Lab]:
    """Return the median colours (CIE Lab) of both sides of the outline above the foot: the product, and behind it."""
    scale = min(1.0, ENOUGH_PIXELS / max(layer.shape[:2]))
    edge = round(EDGE / scale)
    down, across = (
        np.clip(np.arange(first - edge, last + edge), 0, size - 1)
        for first, last, size in ((box.top, box.bottom, light.shape[0]), (box.left, box.right, light.shape[1]))
    )
    padded = _scaled(cv2.copyMakeBorder(layer, edge, edge, edge, edge, cv2.BORDER_CONSTANT), scale)
    alpha, product = padded[..., 3], padded[..., :3]
    behind = on_film(_scaled(light[np.ix_(down, across)], scale) / unit)
    seen = sides(alpha, product, behind)
    above = seen.rows < round(alpha.shape[0] * (1 - RISES))
    if not above.any():
        return np.zeros(3, np.float32), np.full(3, 100, np.float32)
    return _median(seen.own[above]), _median(seen.behind[above])


def _scaled(picture: NDArray[Any], scale: float) -> Light:
    resized = picture if scale == 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.float32)


def _median(colours: NDArray[Any]) -> Lab:
    code = encode(np.median(colours, axis=0)).astype(np.float32).reshape(1, 1, 3)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2Lab)[0, 0], np.float32)
