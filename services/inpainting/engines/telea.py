"""Telea's fast marching method ("An Image Inpainting Technique Based on the Fast Marching Method", 2004) in OpenCV."""

import cv2
import numpy as np

from common.imaging.codec import Mask, Pixels

RADIUS = 5


class Telea:
    """Propagates the surroundings into the hole: smooth, without texture."""

    name = "opencv"
    native_size = 512
    largest_hole = None

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        """See Inpainter."""
        return np.stack([self._fill(picture, hole) for picture, hole in zip(pictures, holes, strict=True)])

    def _fill(self, picture: Pixels, hole: Mask) -> Pixels:
        filled = cv2.inpaint(np.ascontiguousarray(picture), hole.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
        return np.asarray(filled, np.uint8)
