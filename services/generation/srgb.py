"""Conversion between sRGB and linear light (IEC 61966-2-1).

Pictures are blended, scaled and lit in linear light: sums of sRGB values come out too dark.
"""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Pixels

T = TypeVar("T", bound=np.generic)
Light = NDArray[np.floating[Any]]
"""Linear light, 0 to 1."""


def _decode(values: Light) -> Light:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _encode(light: Light) -> Light:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)


STEPS = 65535
_CODE_OF_LIGHT = _encode(np.arange(STEPS + 1) / STEPS).astype(np.float32)
_BYTE_OF_LIGHT = np.round(_CODE_OF_LIGHT * 255).astype(np.uint8)
_LIGHT_OF_CODE = _decode(np.arange(STEPS + 1) / STEPS).astype(np.float32)
_LINEAR_OF_BYTE = _decode(np.arange(256) / 255).astype(np.float32)
_LINEAR_OF_RGBA = np.dstack([*[_LINEAR_OF_BYTE] * 3, np.arange(256, dtype=np.float32) / 255])
"""Lookup table, (1, 256, 4) float32; alpha is linear already."""


def to_linear(pixels: Pixels) -> Light:
    """Convert sRGB pixels of any shape to linear light, float32."""
    if pixels.ndim == 3 and pixels.size:
        return np.asarray(cv2.LUT(pixels, _LINEAR_OF_BYTE), np.float32)  # several times as fast
    return _LINEAR_OF_BYTE[pixels]


def to_premultiplied(pixels: Pixels) -> Light:
    """Convert (H, W, 4) sRGB with straight alpha to linear light, float32, premultiplied by alpha."""
    light = np.asarray(cv2.LUT(pixels, _LINEAR_OF_RGBA), np.float32)
    for channel in range(3):  # in place: a 12-megapixel cutout takes 200 MB
        light[..., channel] *= light[..., 3]
    return light


def to_linear_colour(code: tuple[float, float, float]) -> tuple[float, float, float]:
    """Convert one sRGB colour to linear light; both 0 to 1."""
    red, green, blue = _decode(np.array(code)).tolist()
    return red, green, blue


def encode(light: Light) -> Light:
    """Convert linear light of any shape to sRGB values, 0 to 1; out-of-range values are clipped.

    Uses a lookup table with an error of at most 0.03 of 255.
    """
    return _looked_up(_CODE_OF_LIGHT, light)


def decode(code: Light) -> Light:
    """Convert sRGB values of any shape, 0 to 1, to linear light: the inverse of `encode`."""
    return _looked_up(_LIGHT_OF_CODE, code)


def _looked_up(table: NDArray[T], values: Light) -> NDArray[T]:
    steps = np.clip(values, 0, 1)
    steps *= np.float32(STEPS)
    steps += np.float32(0.5)
    return table[steps.astype(np.uint16)]


def to_srgb(light: Light) -> Pixels:
    """Convert linear light of any shape to sRGB pixels; out-of-range values are clipped."""
    return _looked_up(_BYTE_OF_LIGHT, light)
