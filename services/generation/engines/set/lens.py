"""From light to pixels: depth of field, highlight roll-off, sRGB encoding and dithering."""

import cv2
import numpy as np

from common.imaging.codec import Pixels
from services.generation.engines.set.solids import Plane
from services.generation.srgb import Light, encode

SHARP = 0.5
"""Depth behind the focal plane that is still sharp, in units."""
APERTURE = 0.06
"""Blur at infinite distance (Gaussian sigma), as a fraction of the shorter image side."""
STEPS = (0.25, 0.6, 1.0)
"""Blur levels that are blended, as fractions of the largest blur in the picture."""
NOISE = 1.2
"""Amplitude of the dither, in 255ths."""


def defocus(light: Light, depth: Plane, focus: float) -> Light:
    """Blur what lies behind the focal plane, more with distance.

    Sharp objects are unchanged and do not bleed into the blurred background.

    Args:
        light: (H, W, 3), linear.
        depth: Distance from the camera, (H, W), in units.
        focus: Distance of the focal plane, in units.
    """
    behind = np.maximum(depth - focus - SHARP, 0)
    # Pixels at the edge of a sharp object contain part of it: they count as sharp.
    far = cv2.erode((behind > 0).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    sigma = APERTURE * min(depth.shape) * behind / np.maximum(depth, 1e-6) * far
    largest = float(sigma.max())
    if largest < 0.5:
        return light
    result = light.copy()
    for low, high in zip((0.0, *STEPS), STEPS, strict=False):
        blurred = _blurred(light, far, high * largest)
        blurred -= result
        blurred *= np.clip((sigma / largest - low) / (high - low), 0, 1)[..., None]
        result += blurred
    return result


def _blurred(light: Light, mask: Plane, sigma: float) -> Light:
    """Blur the masked pixels without mixing in any others (normalised convolution)."""
    scale = max(1, int(sigma / 3))
    small = light.shape[1] // scale, light.shape[0] // scale
    weight = cv2.GaussianBlur(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / scale)
    colours = cv2.resize(light * mask[..., None], small, interpolation=cv2.INTER_AREA)
    colours = cv2.GaussianBlur(colours, (0, 0), sigma / scale) / np.maximum(weight, 1e-4)[..., None]
    return np.asarray(cv2.resize(colours, light.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def develop(light: Light, seed: int) -> Pixels:
    """Vignette, roll off highlights, encode as sRGB and dither, without which smooth walls show banding."""
    height, width = light.shape[:2]
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    light = light * (1.42 - 0.23 * np.minimum((x * x + y * y) / 2, 1) ** 1.5)[..., None]
    encoded = encode(light * (1.42 + light / 2.6) / (1.42 + light))
    encoded *= 255
    rng = np.random.default_rng(seed)
    encoded += NOISE * (rng.random((height, width), np.float32) - rng.random((height, width), np.float32))[..., None]
    return np.clip(np.round(encoded, out=encoded), 0, 255, out=encoded).astype(np.uint8)
