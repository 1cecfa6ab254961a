"""From a background and a cut-out to finished ads."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.generation.background.engine import Zone
from services.generation.compose.layout import Place, Size, Window, place_for, window_for
from services.generation.compose.shadow import contact_shadow
from services.generation.light import Light, to_linear, to_srgb
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels, encode_jpeg

QUALITIES = (94, 90, 86, 82, 76, 70, 60, 50, 40, 30, 20)
VISIBLE = 8
"""Alpha below this, of 255, is no part of the product: stray haze must not decide how large it is shown."""


@dataclass(frozen=True)
class Backdrop:
    """A background and the room for the product in it.

    Attributes:
        pixels: (H, W, 3).
        zone: In its pixels.
    """

    pixels: Pixels
    zone: Zone

    @property
    def size(self) -> Size:
        """Its size."""
        return Size(self.pixels.shape[1], self.pixels.shape[0])


@dataclass(frozen=True)
class _Cutout:
    """The product in linear light, cropped to what is visible: (h, w, 4), colours premultiplied by alpha."""

    light: Light

    @property
    def size(self) -> Size:
        return Size(self.light.shape[1], self.light.shape[0])


def compose(backdrops: Sequence[Backdrop], cutout: Pixels, sizes: Sequence[Size], max_bytes: int) -> list[bytes]:
    """Make one ad per size.

    Args:
        backdrops: At least one; each size takes the one whose proportions are nearest.
        cutout: (H, W, 4): the product.
        sizes: Of the ads.
        max_bytes: The largest an ad's file may be.

    Returns:
        JPEG files of exactly these sizes.

    Raises:
        InvalidInputError: The cut-out has no alpha channel, or a zone lies outside its picture.
        PreconditionError: The cut-out has no visible pixel, or an ad cannot be made small enough.
    """
    for backdrop in backdrops:
        _check_zone(backdrop)
    product = _prepare(cutout)
    return [encode_within(_compose_one(_nearest(backdrops, size), product, size), max_bytes) for size in sizes]


def _check_zone(backdrop: Backdrop) -> None:
    zone, size = backdrop.zone, backdrop.size
    if not (0 <= zone.left < zone.right <= size.width and 0 <= zone.top < zone.bottom <= size.height):
        raise InvalidInputError("A placement lies outside its background.", "PLACEMENT_OUTSIDE")


def _prepare(cutout: Pixels) -> _Cutout:
    if cutout.ndim != 3 or cutout.shape[2] != 4:
        raise InvalidInputError("The cut-out has no transparency: send RGBA.", "NO_ALPHA")
    left, top, width, height = cv2.boundingRect((cutout[..., 3] >= VISIBLE).astype(np.uint8))
    if not width:
        raise PreconditionError("The cut-out is empty: upload the photo again.", "EMPTY_CUTOUT")
    visible = cutout[top : top + height, left : left + width]
    alpha = visible[..., 3:].astype(np.float32) / 255
    return _Cutout(np.dstack([to_linear(visible[..., :3]) * alpha, alpha]))


def _nearest(backdrops: Sequence[Backdrop], size: Size) -> Backdrop:
    return min(backdrops, key=lambda backdrop: abs(np.log(backdrop.size.aspect_ratio / size.aspect_ratio)))


def _compose_one(backdrop: Backdrop, product: _Cutout, ad: Size) -> Pixels:
    window = window_for(backdrop.size, backdrop.zone, ad)
    place = place_for(product.size, backdrop.zone, window, ad)
    scene = _scaled(_cropped(to_linear(backdrop.pixels), window), ad)
    layer = _scaled(product.light, Size(place.width, place.height))
    scene = scene * contact_shadow(layer[..., 3], place, ad)[..., None]
    _put(scene, layer, place)
    return to_srgb(scene)


def _cropped(light: Light, window: Window) -> Light:
    height, width = light.shape[:2]
    left, top = min(round(window.left), width - 1), min(round(window.top), height - 1)
    return light[top : top + max(1, round(window.height)), left : left + max(1, round(window.width))]


def _scaled(light: Light, size: Size) -> Light:
    shrinks = size.width < light.shape[1]
    scaled = cv2.resize(light, (size.width, size.height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(scaled, 0, 1)


def _put(scene: Light, layer: Light, place: Place) -> None:
    spot = scene[place.top : place.top + place.height, place.left : place.left + place.width]
    spot *= 1 - layer[..., 3:]
    spot += layer[..., :3]


def encode_within(pixels: Pixels, max_bytes: int) -> bytes:
    """Write a JPEG file of the best quality that fits.

    Raises:
        PreconditionError: Not even the lowest quality fits.
    """
    for quality in QUALITIES:
        data = encode_jpeg(pixels, quality)
        if len(data) <= max_bytes:
            return data
    raise PreconditionError(f"An ad of this size does not fit into {max_bytes} bytes.", "CREATIVE_TOO_LARGE")
