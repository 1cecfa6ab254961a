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
    spot = np.s_[box.top : box.bottom, box.left : box.right]
    alpha = photo[..., 3]
    true = _lab(to_srgb(photo[..., :3] + behind[spot] * (1 - alpha[..., None])))
    read = np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
    before, after = _differences(true, made[spot]), _differences(true, read[spot])
    inside = alpha >= INSIDE
    edge = (alpha > 1 - INSIDE) & ~inside
    values = (
        before[inside].max(initial=0),
        after[inside].mean() if inside.any() else 0.0,
        after[edge].mean() if edge.any() else 0.0,
    )
    return Fidelity(*(round(float(value), 2) for value in values))


def _differences(true: NDArray[np.float32], pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(np.linalg.norm(_lab(pixels) - true, axis=-1), np.float32)


def _lab(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
