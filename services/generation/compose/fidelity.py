"""Fidelity: how true the product in an ad is to its photo, resized to its size in the ad."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Pixels
from services.generation.geometry import Box
from services.generation.srgb import Light, to_srgb

INSIDE = 0.999
"""Alpha from which a pixel shows nothing but the product."""


@dataclass(frozen=True)
class Fidelity:
    """Colour differences (CIE76) between the product in an ad and in its photo. People notice a difference of 2.

    Attributes:
        largest: Largest difference inside the product, before the file was compressed.
        mean: Mean difference inside the product, in the file.
        edge: Mean difference over its edge, in the file.
    """

    largest: float = 0.0
    mean: float = 0.0
    edge: float = 0.0


def fidelity(photo: Light, behind: Light, box: Box, made: Pixels, file: bytes) -> Fidelity:
    """Measure an ad.

    Args:
        photo: Product of the photo at its size in the ad, (h, w, 4), premultiplied.
        behind: The ad without the product, (H, W, 3).
        box: Place of the product.
        made: The ad, (H, W, 3).
        file: Its file.
    """
    region = np.s_[box.top : box.bottom, box.left : box.right]
    alpha = photo[..., 3]
    true = to_srgb(photo[..., :3] + behind[region] * (1 - alpha[..., None]))
    read = np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
    inside = alpha >= INSIDE
    edge = (alpha > 1 - INSIDE) & ~inside
    changed = inside & (true != made[region]).any(axis=-1)
    after = _differences(true, read[region])
    values = (
        _differences(true[changed], made[region][changed]).max(initial=0),
        after[inside].mean() if inside.any() else 0.0,
        after[edge].mean() if edge.any() else 0.0,
    )
    return Fidelity(*(round(float(value), 2) for value in values))


def _differences(true: Pixels, pixels: Pixels) -> NDArray[np.float32]:
    """Return the difference of each pixel; both of one shape, (..., 3)."""
    if not true.size:
        return np.zeros(true.shape[:-1], np.float32)
    apart = _lab(pixels) - _lab(true)
    return np.asarray(np.linalg.norm(apart, axis=-1), np.float32).reshape(true.shape[:-1])


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    plane = pixels.reshape(-1, pixels.shape[-2], 3).astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_RGB2Lab), np.float32)
