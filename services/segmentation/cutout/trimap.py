"""Trimap: definite product, definite background, and the unknown band between, in which alpha is estimated."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike


@dataclass(frozen=True)
class Trimap:
    """Bounds of alpha, two planes of (H, W) float32.

    Attributes:
        sure: 1 for definite product, otherwise 0.
        possible: 0 for definite background, otherwise 1.
    """

    sure: MatLike
    possible: MatLike


def trimap_around(rough: MatLike, reach: int) -> Trimap:
    """Return a trimap with an unknown band along the mask edge. The image border is not an edge of the product.

    Args:
        rough: (H, W) float32; above 0.5 is product.
        reach: Half-width of the band, in pixels.
    """
    solid = (rough > 0.5).astype(np.uint8)
    inwards, outwards = (cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_5) for side in (solid, 1 - solid))
    return Trimap((inwards > reach).astype(np.float32), (outwards <= reach).astype(np.float32))
