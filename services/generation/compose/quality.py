"""Quality check of a creative: is the product large enough, does it stand out? The layout keeps it whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.compose.layout import MARGIN
from services.generation.geometry import Box, Size
from services.generation.outline import EDGE, sides
from services.generation.srgb import Light, encode


@dataclass(frozen=True)
class Limits:
    """Limits of the quality check.

    Attributes:
        fill: Minimum fill; see Quality.
        contrast: Minimum contrast; see Quality.
        file_bytes: Maximum file size, in bytes.
    """

    fill: float = 0.12
    contrast: float = 8.0
    file_bytes: int = 150_000


@dataclass(frozen=True)
class Quality:
    """Result of the quality check.

    Attributes:
        fill: Area of the product as a fraction of the largest that the margins allow, 0 to 1.
        contrast: Colour difference (CIE76) between the product and what is behind it, median along the outline.
        flaws: Violated limits that another background may fix, described for people.
        notes: Remarks that hold for every background.
    """

    fill: float
    contrast: float
    flaws: tuple[str, ...]
    notes: tuple[str, ...] = ()


CONTACT = 0.93
"""Light around the foot over that beside it, above which the product does not seem to stand."""
FOOT, NEAR, BESIDE = 0.06, 0.05, 0.5
"""Height of the foot; how far its shadow is looked for, and how far the light beside it: parts of height and width."""
ENLARGED = 1.05
"""Enlargement that is tolerated: nobody sees it."""


def assess(
    layer: Light,
    picture: Light,
    box: Box,
    ad: Size,
    file: bytes,
    limits: Limits,
    enlarged: float = 1.0,
    *,
    stands: bool = False,
    notes: Sequence[str] = (),
) -> Quality:
    """Check a creative.

    Args:
        layer: Product at its size in the creative, (h, w, 4), premultiplied.
        picture: Creative without the product, but with its shadows and reflection, (H, W, 3).
        box: Box of the product.
        ad: Size of the creative.
        file: Encoded creative.
        limits: Limits to check.
        enlarged: Size of the product in the creative over that in its photo.
        stands: Whether it stands on ground that was rendered, where its shadow must show. Painted shadows do.
        notes: Remarks on its words.
    """
    fill, contrast = _fill(box, ad), _contrast(layer, picture, box)
    flaws, notes = [], list(notes)
    if fill < limits.fill:
        flaws.append(f"the product is shown small ({fill:.0%} of the room there is)")
    if contrast < limits.contrast:
        flaws.append(f"the product hardly stands out from the background (colour difference {contrast:.0f})")
    if enlarged > ENLARGED:
        notes.append("the photo shows the product small: it is enlarged and looks soft")
    if stands and (light := light_at_contact(layer[..., 3], picture, box)) > CONTACT:
        flaws.append(f"the product hardly seems to stand: there is no shadow below it ({light:.0%} of the light)")
    if len(file) > limits.file_bytes:
        flaws.append(f"the file has {len(file) // 1000} kB, more than {limits.file_bytes // 1000} kB")
    size = f"{ad.width}x{ad.height}"
    return Quality(
        fill, contrast, tuple(f"{size}: {flaw}." for flaw in flaws), tuple(f"{size}: {note}." for note in notes)
    )


def _fill(box: Box, ad: Size) -> float:
    room_width, room_height = (1 - 2 * MARGIN) * ad.width, (1 - 2 * MARGIN) * ad.height
    return min(1.0, max(box.width / room_width, box.height / room_height) ** 2)


def light_at_contact(alpha: Light, picture: Light, box: Box) -> float:
    """Return how bright the ground is where it is darkest around the product's foot, over how it is beside it.

    It is 0 if no ground shows.

    Args:
        alpha: Alpha of the product at its size in the creative, (h, w).
        picture: Creative without the product, but with its shadows, (H, W, 3).
        box: Box of the product.
    """
    height, width = alpha.shape
    product = np.zeros(picture.shape[:2], np.uint8)
    product[box.top : box.bottom, box.left : box.right] = alpha > 0.5
    reach = max(2, round(NEAR * width))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    foot = np.zeros(picture.shape[:2], np.bool_)
    aside = round(BESIDE * width)
    foot[box.bottom - round(FOOT * height) : box.bottom + reach, max(0, box.left - aside) : box.right + aside] = True
    ground = foot & (product == 0)
    near = ground & (np.asarray(cv2.dilate(product, kernel)) > 0)
    beside = ground & ~near
    if not near.any() or not beside.any():
        return 0.0
    light = picture.mean(axis=2)
    return float(np.percentile(light[near], 10)) / max(float(np.percentile(light[beside], 70)), 1e-4)


def _contrast(layer: Light, picture: Light, box: Box) -> float:
    """Return the colour difference (CIE76) between both sides of the outline, median along it."""
    room = picture[box.top : box.top + box.height, box.left : box.left + box.width]
    alpha, product = (
        cv2.copyMakeBorder(plane, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_CONSTANT, value=0)
        for plane in (layer[..., 3], layer[..., :3])
    )
    seen = sides(alpha, product, cv2.copyMakeBorder(room, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_REPLICATE))
    if not seen.rows.size:
        return 0.0
    return float(np.median(np.linalg.norm(_lab(seen.own) - _lab(seen.behind), axis=-1)))


def _lab(light: NDArray[Any]) -> Light:
    codes = encode(light).astype(np.float32)[None]
    return np.asarray(cv2.cvtColor(codes, cv2.COLOR_RGB2Lab)[0])
