"""A picture from the user as the background."""

import cv2
import numpy as np

from common.imaging.codec import Pixels
from common.labels import carries_credentials
from services.generation.background.background import Background, Origin
from services.generation.label.label import source_type_in
from services.generation.placement.calmest import find_placement

NAME = "own picture"
MAX_SIDE = 2048
"""Maximum longer side, in pixels; larger pictures are scaled down. The largest ad on offer is 1080 by 1920."""


def place_in(picture: Pixels, product_aspect_ratio: float, file: bytes = b"") -> Background:
    """Make a background of a picture by finding the placement in it.

    Args:
        picture: (H, W, 3).
        file: The file it was read from, for what its metadata say.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
    """
    scale = MAX_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    origin = Origin(source_type_in(file), file if carries_credentials(file) else b"")
    return Background(picture, find_placement(picture, product_aspect_ratio), "", NAME, origin=origin)
