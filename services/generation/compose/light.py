"""sRGB to linear light and back. Pictures are mixed and scaled in linear light: mixing sRGB values darkens edges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.runtime.image import Pixels

Light = NDArray[np.floating[Any]]
"""float32 linear light, 0 to 1."""

_VALUES = np.arange(256, dtype=np.float32) / 255
_TO_LINEAR = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_linear(pixels: Pixels) -> Light:
    """Give the linear light of sRGB pixels of any shape."""
    return _TO_LINEAR[pixels]


def to_srgb(light: Light) -> Pixels:
    """Give the sRGB pixels of linear light of any shape; what is out of range is clipped."""
    clipped = np.clip(light, 0, 1)
    encoded = np.where(clipped <= 0.0031308, 12.92 * clipped, 1.055 * np.power(clipped, 1 / 2.4) - 0.055)
    return np.round(encoded * 255).astype(np.uint8)
