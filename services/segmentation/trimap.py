"""The trimap: what is surely product, what is surely ground, and the band between, in which alpha is looked for."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike


@dataclass(frozen=True)
class Trimap:
    """Two planes of (H, W) float32.

    Attributes:
        sure: 1 = surely product, otherwise 0.
        possible: 0 = surely ground, otherwise 1.
    """

    sure: MatLike
    possible: MatLike


def trimap_around(rough: MatLike, reach: int) -> Trimap:
    """Give the band along a mask's edge. What the frame cuts off is not an edge of the product.

    Args:
        rough: (H, W) float32, over 0.5 = product.
        reach: Half the band's width, in pixels.
    """
    solid = (rough > 0.5).astype(np.uint8)
    inwards, outwards = (cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_5) for side in (solid, 1 - solid))
    return Trimap((inwards > reach).astype(np.float32), (outwards <= reach).astype(np.float32))
