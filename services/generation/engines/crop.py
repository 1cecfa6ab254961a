"""Cropping of pictures to the proportions that were asked for: no model offers all."""

from common.imaging.codec import Pixels


def cropped(pixels: Pixels, aspect_ratio: float) -> Pixels:
    """Crop the centre of (H, W, 3) to an aspect ratio."""
    height, width = pixels.shape[:2]
    across, down = min(width, round(height * aspect_ratio)), min(height, round(width / aspect_ratio))
    left, top = (width - across) // 2, (height - down) // 2
    return pixels[top : top + down, left : left + across]
