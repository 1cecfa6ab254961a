"""From light to a picture: depth of field, highlights rolled off, sRGB, and no bands."""

import cv2
import numpy as np

from services.generation.background.studio.solids import Plane
from services.generation.light import Light, encode
from services.runtime.image import Pixels

SHARP = 0.5
"""What is nearer than this to the plane in focus, in units, is sharp."""
APERTURE = 0.06
"""How fast things blur: the blur at endless distance, as a part of the picture's shorter side."""
STEPS = (0.25, 0.6, 1.0)
"""The blurs that are mixed, as parts of the largest in the picture."""
NOISE = 1.2
"""Of the dither, in 255ths."""


def defocus(light: Light, depth: Plane, focus: float) -> Light:
    """Blur what is behind the plane in focus, the more the farther.

    What is sharp neither blurs nor bleeds into what is blurred behind it.

    Args:
        light: (H, W, 3), linear.
        depth: (H, W): the distance from the camera.
        focus: The distance that is sharp.
    """
    behind = np.maximum(depth - focus - SHARP, 0)
    # Pixels at the edge of something sharp hold some of it: they count as sharp.
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
    """Blur what the mask shows, as if there were nothing else."""
    scale = max(1, int(sigma / 3))
    small = light.shape[1] // scale, light.shape[0] // scale
    weight = cv2.GaussianBlur(cv2.resize(mask, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / scale)
    colours = cv2.resize(light * mask[..., None], small, interpolation=cv2.INTER_AREA)
    colours = cv2.GaussianBlur(colours, (0, 0), sigma / scale) / np.maximum(weight, 1e-4)[..., None]
    return np.asarray(cv2.resize(colours, light.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def develop(light: Light, seed: int) -> Pixels:
    """Darken the corners a little, roll highlights off, encode and dither: a smooth wall shows bands otherwise."""
    height, width = light.shape[:2]
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    light = light * (1.42 - 0.23 * np.minimum((x * x + y * y) / 2, 1) ** 1.5)[..., None]
    encoded = encode(light * (1.42 + light / 2.6) / (1.42 + light))
    encoded *= 255
    rng = np.random.default_rng(seed)
    encoded += NOISE * (rng.random((height, width), np.float32) - rng.random((height, width), np.float32))[..., None]
    return np.clip(np.round(encoded, out=encoded), 0, 255, out=encoded).astype(np.uint8)
