"""From light to a picture, as film and lens do it: exposure, a soft shoulder, bloom, vignette, grain."""

import cv2
import numpy as np

from common.imaging.codec import Mask
from services.generation.engines.set.panorama import LUMINANCE, Light
from services.generation.srgb import decode, encode

BLOOM = 0.05
VIGNETTE = 0.10
GRAIN = 0.007
"""Strength of the grain, of the full range."""
STRIP = 128
"""Rows that are developed at a time, which bounds memory."""


def develop(
    light: Light, exposure: float, warmth: tuple[float, float], seed: int, metered: Mask | None = None
) -> Light:
    """Develop a picture.

    Args:
        light: (H, W, 3).
        exposure: Geometric mean of the luminance that the middle of the picture gets, before the film.
        warmth: Factors of red and blue.
        seed: Seed of the grain.
        metered: Pixels whose luminance is metered, (H, W); None: all.

    Returns:
        Linear light of a display, (H, W, 3), 0 to 1.
    """
    height, width = light.shape[:2]
    mean = float(np.exp(np.log((light if metered is None else light[metered]) @ LUMINANCE + 1e-3).mean()))
    exposed = light * np.array([warmth[0], 1, warmth[1]], np.float32) * (exposure / mean)
    developed = _bloomed(exposed, max(width, height))
    del exposed
    down, across = np.mgrid[:height, :width].astype(np.float32)
    away = (across / width - 0.5) ** 2 + (down / height - 0.5) ** 2
    grain = np.random.default_rng(seed).standard_normal((height, width), np.float32)
    grain = 0.7 * grain + 0.6 * cv2.GaussianBlur(grain, (0, 0), 0.8)
    for top in range(0, height, STRIP):
        rows = slice(top, top + STRIP)
        film = on_film(developed[rows] * (1 - VIGNETTE * 2 * away[rows])[..., None])
        # Grain shows in the middle tones; it is added to the light so that it is even in sRGB.
        tone = encode(film)
        developed[rows] = decode(tone + GRAIN * grain[rows, :, None] * (1 - 0.5 * tone))
    return developed


def _bloomed(light: Light, side: int) -> Light:
    hot = np.clip(light - 1, 0, 8).astype(np.float32)
    small = cv2.resize(hot, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    del hot
    glow = cv2.GaussianBlur(small, (0, 0), max(0.5, side * 0.005)) + 0.5 * cv2.GaussianBlur(small, (0, 0), side * 0.015)
    bloomed = np.asarray(cv2.resize(glow, (light.shape[1], light.shape[0])), np.float32)
    bloomed *= BLOOM
    bloomed += light
    return bloomed


def undeveloped(shown: Light) -> Light:
    """Return the light of which film makes what is shown: the inverse of `on_film`, for values of less than 1."""
    square, first, constant = 2.51 - 2.43 * shown, 0.03 - 0.59 * shown, -0.14 * shown
    root = np.sqrt(first**2 - 4 * square * constant)
    return np.asarray((root - first) / (2 * square), np.float32)


def on_film(light: Light) -> Light:
    """Return what film makes of light: a fit of the ACES curve (Narkowicz, 2015)."""
    return np.asarray(np.clip(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0, 1), np.float32)
