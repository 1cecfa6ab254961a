"""Backgrounds that are kept with the ads, so that the product can be moved in them, and the ads made again.

The ads are composed from what is kept: later ones differ in nothing but what was changed.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from common.imaging.codec import decode, encode_jpeg, rgb
from common.settings import ImageLimits
from services.generation.compose.compose import Scene
from services.generation.geometry import Box
from services.generation.placement.placement import Placement

MOST_PIXELS = 6_000_000
"""Pixels of a background that is kept: the largest ads are cut from fewer."""
QUALITY = 93
"""JPEG quality: twice compressed is not seen."""


@dataclass(frozen=True)
class Kept:
    """A background to keep.

    Attributes:
        file: A JPEG file.
        placement: Where the product goes, in its pixels.
    """

    file: bytes
    placement: Placement


def keep(scene: Scene) -> Kept:
    """Return a scene as a file of at most MOST_PIXELS."""
    scale = min(1.0, (MOST_PIXELS / (scene.size.width * scene.size.height)) ** 0.5)
    if scale == 1:
        return Kept(encode_jpeg(scene.pixels, QUALITY), scene.placement)
    width, height = round(scene.size.width * scale), round(scene.size.height * scale)
    reduced = np.asarray(cv2.resize(scene.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    box = scene.placement.box
    left, top = int(box.left * scale), int(box.top * scale)
    right = min(width, max(left + 1, round(box.right * scale)))
    bottom = min(height, max(top + 1, round(box.bottom * scale)))
    return Kept(encode_jpeg(reduced, QUALITY), replace(scene.placement, box=Box(left, top, right, bottom)))


def reopened(scene: Scene, kept: Kept, limits: ImageLimits) -> Scene:
    """Return a scene as its kept file shows it."""
    return replace(scene, pixels=rgb(decode(kept.file, limits)), placement=kept.placement)
