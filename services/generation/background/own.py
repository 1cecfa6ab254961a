"""A picture of the user's own as the background."""

import cv2
import numpy as np

from services.generation.background.calm import find_placement
from services.generation.background.engine import Background
from services.runtime.image import Pixels

NAME = "own picture"
LONGEST_SIDE = 2048
"""More is scaled down: no ad is larger."""


def take(picture: Pixels, product_aspect_ratio: float) -> Background:
    """Find the place for the product in it.

    Args:
        picture: (H, W, 3).
        product_aspect_ratio: The product's width over its height; 0: not known.
    """
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return Background(picture, find_placement(picture, product_aspect_ratio), "", NAME)
