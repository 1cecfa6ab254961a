"""Both sides of a product's outline: its own colour, and that of what is behind it."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.srgb import Light

REACH = 3.0
"""Distance on both sides of the outline at which colours are compared (Gaussian sigma), in pixels."""
EDGE = round(4 * REACH)
"""Pixels around the product that are looked at."""
NEAR = 0.35
"""Share of each side in what surrounds a pixel of the outline, at least."""


@dataclass(frozen=True)
class Sides:
    """Light on both sides of an outline.

    Attributes:
        rows: Row of each pixel of the outline, (N,).
        own: Mean light of the product around it, (N, 3).
        behind: Mean light of what is behind the product around it, (N, 3).
    """

    rows: NDArray[np.intp]
    own: Light
    behind: Light


def sides(alpha: NDArray[Any], product: NDArray[Any], behind: NDArray[Any]) -> Sides:
    """Compare both sides of an outline.

    Args:
        alpha: (H, W), with EDGE pixels around the product.
        product: (H, W, 3), premultiplied.
        behind: The same place without the product, (H, W, 3).
    """
    inside, outside = cv2.GaussianBlur(alpha, (0, 0), REACH), cv2.GaussianBlur(1 - alpha, (0, 0), REACH)
    outline = (inside > NEAR) & (outside > NEAR)
    own = cv2.GaussianBlur(product, (0, 0), REACH)[outline] / inside[outline, None]
    other = cv2.GaussianBlur(behind * (1 - alpha[..., None]), (0, 0), REACH)[outline] / outside[outline, None]
    return Sides(np.nonzero(outline)[0], np.asarray(own), np.asarray(other))
