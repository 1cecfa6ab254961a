"""From a background and a cut-out to finished ads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from services.generation.background.engine import Placement
from services.generation.compose.edges import clean_edges
from services.generation.compose.files import FileFormat, encode_ad
from services.generation.compose.layout import Place, Size, Window, place_for, window_for
from services.generation.compose.quality import Limits, Quality, judge
from services.generation.compose.reflection import reflection
from services.generation.compose.scale import scaled
from services.generation.compose.shadow import cast_shadow, contact_shadow, tinted
from services.generation.light import Light, to_linear, to_premultiplied, to_srgb
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels

VISIBLE = 8
"""Alpha below this, of 255, is no part of the product: stray haze must not decide how large it is shown."""


@dataclass(frozen=True)
class Backdrop:
    """A background and where the product goes in it.

    Attributes:
        pixels: (H, W, 3).
        placement: In its pixels.
    """

    pixels: Pixels
    placement: Placement

    @property
    def size(self) -> Size:
        """Its size."""
        return Size(self.pixels.shape[1], self.pixels.shape[0])


@dataclass(frozen=True)
class Output:
    """How ads are written.

    Attributes:
        file_format: Of the files.
        limits: What an ad must reach; its file, too, when its format has qualities to choose from.
    """

    file_format: FileFormat = "jpeg"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Creative:
    """A finished ad: its file, and what a look at it tells."""

    file: bytes
    quality: Quality


@dataclass(frozen=True)
class _Cutout:
    """The product in linear light, cropped to what is visible: (h, w, 4), colours premultiplied by alpha."""

    light: Light

    @property
    def size(self) -> Size:
        return Size(self.light.shape[1], self.light.shape[0])


def compose(backdrops: Sequence[Backdrop], cutout: Pixels, sizes: Sequence[Size], output: Output) -> list[Creative]:
    """Make one ad per size.

    Args:
        backdrops: At least one; each size takes the one whose proportions are nearest.
        cutout: (H, W, 4): the product.
        sizes: Of the ads.
        output: How they are written.

    Raises:
        InvalidInputError: The cut-out has no alpha channel, or a zone lies outside its picture.
        PreconditionError: The cut-out has no visible pixel, or an ad cannot be made small enough.
    """
    for backdrop in backdrops:
        _check_zone(backdrop)
    product = _prepare(cutout)
    return [_make_one(_nearest(backdrops, size), product, size, output) for size in sizes]


def _check_zone(backdrop: Backdrop) -> None:
    zone, size = backdrop.placement.zone, backdrop.size
    if not (0 <= zone.left < zone.right <= size.width and 0 <= zone.top < zone.bottom <= size.height):
        raise InvalidInputError("A placement lies outside its background.", "PLACEMENT_OUTSIDE")


def _prepare(cutout: Pixels) -> _Cutout:
    if cutout.ndim != 3 or cutout.shape[2] != 4:
        raise InvalidInputError("The cut-out has no transparency: send RGBA.", "NO_ALPHA")
    left, top, width, height = cv2.boundingRect((cutout[..., 3] >= VISIBLE).astype(np.uint8))
    if not width:
        raise PreconditionError("The cut-out is empty: upload the photo again.", "EMPTY_CUTOUT")
    visible = cutout[top : top + height, left : left + width]
    return _Cutout(to_premultiplied(visible))


def _nearest(backdrops: Sequence[Backdrop], size: Size) -> Backdrop:
    return min(backdrops, key=lambda backdrop: abs(np.log(backdrop.size.aspect_ratio / size.aspect_ratio)))


def _make_one(backdrop: Backdrop, product: _Cutout, ad: Size, output: Output) -> Creative:
    placement = backdrop.placement
    window = window_for(backdrop.size, placement.zone, ad)
    place = place_for(product.size, placement.zone, window, ad)
    layer = clean_edges(scaled(product.light, Size(place.width, place.height)))
    scene = _lit_scene(scaled(_cropped(to_linear(backdrop.pixels), window), ad), layer, place, placement)
    file = encode_ad(to_srgb(put(scene, layer, place)), output.file_format, output.limits.file_bytes)
    return Creative(file, judge(layer, scene, place, ad, file, output.limits))


def _cropped(light: Light, window: Window) -> Light:
    height, width = light.shape[:2]
    left, top = min(round(window.left), width - 1), min(round(window.top), height - 1)
    return light[top : top + max(1, round(window.height)), left : left + max(1, round(window.width))]


def _lit_scene(scene: Light, layer: Light, place: Place, placement: Placement) -> Light:
    """Give the scene with what the product does to it: its reflection and its shadows."""
    ad = Size(scene.shape[1], scene.shape[0])
    if placement.reflectance:
        mirrored = reflection(layer, place, ad, placement.reflectance)
        scene = scene * (1 - mirrored[..., 3:]) + mirrored[..., :3]
    lit = contact_shadow(layer[..., 3], place, ad) * cast_shadow(layer[..., 3], place, ad, placement.light)
    return scene * tinted(lit, scene)


def put(scene: Light, layer: Light, place: Place) -> Light:
    """Lay a premultiplied layer over a scene, in linear light."""
    finished = scene.copy()
    spot = finished[place.top : place.top + place.height, place.left : place.left + place.width]
    spot *= 1 - layer[..., 3:]
    spot += layer[..., :3]
    return finished
