"""A look at a finished ad: whether the product is large enough and stands out. That it is whole, the layout sees to."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.compose.layout import MARGIN, Place, Size
from services.generation.light import Light, encode

OUTLINE = 3.0
"""How far to both sides of the outline colours are compared, in pixels of the ad (one standard deviation)."""


@dataclass(frozen=True)
class Limits:
    """What an ad must reach.

    Attributes:
        fill: See Quality.
        contrast: See Quality.
        file_bytes: The largest its file may be.
    """

    fill: float = 0.12
    contrast: float = 8.0
    file_bytes: int = 150_000


@dataclass(frozen=True)
class Quality:
    """What a look at an ad tells.

    Attributes:
        fill: The product's area as a part of the largest that the ad's margins allow, 0 to 1.
        contrast: How far the product's outline is from the colours behind it: CIE76, median along the outline.
        flaws: What is below the limits, for people.
    """

    fill: float
    contrast: float
    flaws: tuple[str, ...]


def judge(layer: Light, scene: Light, place: Place, ad: Size, file: bytes, limits: Limits) -> Quality:
    """Look at an ad.

    Args:
        layer: (h, w, 4), premultiplied: the product at its size in the ad.
        scene: (H, W, 3): the ad without the product, shadows and all.
        place: Where the product stands.
        ad: The ad's size.
        file: The ad.
        limits: What it must reach.
    """
    fill, contrast = _fill(place, ad), _contrast(layer, scene, place)
    flaws = []
    if fill < limits.fill:
        flaws.append(f"the product is shown small ({fill:.0%} of the room there is)")
    if contrast < limits.contrast:
        flaws.append(f"the product hardly stands out from the background (colour difference {contrast:.0f})")
    if len(file) > limits.file_bytes:
        flaws.append(f"the file has {len(file) // 1000} kB, more than {limits.file_bytes // 1000} kB")
    return Quality(fill, contrast, tuple(f"{ad.width}x{ad.height}: {flaw}." for flaw in flaws))


def _fill(place: Place, ad: Size) -> float:
    room_width, room_height = (1 - 2 * MARGIN) * ad.width, (1 - 2 * MARGIN) * ad.height
    return min(1.0, max(place.width / room_width, place.height / room_height) ** 2)


def _contrast(layer: Light, scene: Light, place: Place) -> float:
    """Compare what is just inside the outline with what is just outside of it."""
    room = scene[place.top : place.top + place.height, place.left : place.left + place.width]
    edge = round(4 * OUTLINE)
    alpha = cv2.copyMakeBorder(layer[..., 3], edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    product = cv2.copyMakeBorder(layer[..., :3], edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=0)
    behind = cv2.copyMakeBorder(room, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    inside, outside = cv2.GaussianBlur(alpha, (0, 0), OUTLINE), cv2.GaussianBlur(1 - alpha, (0, 0), OUTLINE)
    outline = (inside > 0.35) & (outside > 0.35)
    if not outline.any():
        return 0.0
    within = cv2.GaussianBlur(product, (0, 0), OUTLINE)[outline] / inside[outline, None]
    beyond = cv2.GaussianBlur(behind * (1 - alpha[..., None]), (0, 0), OUTLINE)[outline] / outside[outline, None]
    return float(np.median(np.linalg.norm(_lab(within) - _lab(beyond), axis=-1)))


def _lab(light: NDArray[Any]) -> Light:
    codes = encode(light).astype(np.float32)[None]
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2Lab)[0])
