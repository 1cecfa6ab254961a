"""Composition of a background and a cutout to finished creatives."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from common.errors import InvalidInputError, PreconditionError
from common.imaging.codec import Pixels
from services.generation.background.background import Origin
from services.generation.compose.edges import clean_edges
from services.generation.compose.fidelity import Fidelity, fidelity
from services.generation.compose.files import FileFormat, encode_ad
from services.generation.compose.layout import arranged, crop_for, product_box
from services.generation.compose.quality import Limits, Quality, assess
from services.generation.compose.reflection import reflection
from services.generation.compose.scale import scaled
from services.generation.compose.shadow import cast_shadow, contact_shadow, tinted
from services.generation.geometry import Arrangement, Box, Crop, Size
from services.generation.label.credentials import Credentials
from services.generation.label.label import Label, composite_type, xmp_of
from services.generation.message.draw import draw, flaws, prepared
from services.generation.message.setting import Setting
from services.generation.message.words import Words
from services.generation.placement.placement import Placement
from services.generation.srgb import Light, to_linear, to_premultiplied, to_srgb

VISIBLE = 8
"""Minimum alpha of the product, of 255: stray haze must not affect the size at which it is shown."""


@dataclass(frozen=True)
class Scene:
    """A background and where the product goes in it.

    Attributes:
        pixels: (H, W, 3).
        placement: Placement, in its pixels.
        origin: Where it comes from.
    """

    pixels: Pixels
    placement: Placement
    origin: Origin = field(default_factory=Origin)

    @property
    def size(self) -> Size:
        """Size in pixels."""
        return Size(self.pixels.shape[1], self.pixels.shape[0])


@dataclass(frozen=True)
class Output:
    """How creatives are encoded and checked.

    Attributes:
        file_format: File format.
        limits: Limits of the quality check.
        label: What the files are labelled with.
        credentials: Signs the files; None: they are not signed.
    """

    file_format: FileFormat = "jpeg"
    limits: Limits = field(default_factory=Limits)
    label: Label = field(default_factory=Label)
    credentials: Credentials | None = None


@dataclass(frozen=True)
class Order:
    """A creative to make.

    Attributes:
        size: Its size.
        most_bytes: The most bytes of its file; 0: the limit of the output. JPEG and WebP are compressed to fit.
        arrangement: How the product is moved.
    """

    size: Size
    most_bytes: int = 0
    arrangement: Arrangement = field(default_factory=Arrangement)


@dataclass(frozen=True)
class Creative:
    """A finished creative.

    Attributes:
        file: Encoded picture.
        quality: Result of the quality check.
        set_name: The set it was rendered in; empty if it was not.
        fidelity: How true the product is to its photo.
        product: Box of the product.
        pixels_sha256: SHA-256 of its pixels before they were compressed.
        setting: Where its words stand; None if it has none.
    """

    file: bytes
    quality: Quality
    fidelity: Fidelity
    product: Box
    set_name: str = ""
    pixels_sha256: str = ""
    setting: Setting | None = None


@dataclass(frozen=True)
class PreparedCutout:
    """The product in linear light, cropped to its visible part: (h, w, 4), premultiplied by alpha."""

    light: Light
    _halves: list[Light] = field(default_factory=list, repr=False, compare=False)
    """Halved, halved again, and so on, as far as it was needed."""

    @property
    def size(self) -> Size:
        """Size in pixels."""
        return Size(self.light.shape[1], self.light.shape[0])

    def scaled_to(self, size: Size) -> Light:
        """Scale to a size, (h, w, 4): from a copy at least twice as large, so that large photos are read once."""
        light, level = self.light, 0
        while light.shape[1] >= 4 * size.width and light.shape[0] >= 4 * size.height:
            if level == len(self._halves):
                half = light.shape[1] // 2, light.shape[0] // 2
                self._halves.append(np.asarray(cv2.resize(light, half, interpolation=cv2.INTER_AREA), np.float32))
            light, level = self._halves[level], level + 1
        return scaled(light, size)


def compose(
    scenes: Sequence[Scene], cutout: Pixels, orders: Sequence[Order], output: Output, words: Words | None = None
) -> list[Creative]:
    """Make one creative per order.

    Args:
        scenes: At least one; each size uses the one with the nearest aspect ratio.
        cutout: Product, (H, W, 4), straight alpha.
        orders: The creatives.
        output: Encoding and limits.
        words: Message to set on them.

    Raises:
        InvalidInputError: The cutout has no alpha channel, or a placement lies outside its background.
        PreconditionError: The cutout has no visible pixel, a creative cannot be compressed to the size limit, or the
            fonts are missing.
    """
    for scene in scenes:
        _check_placement(scene)
    product = prepare(cutout)
    return [_make_one(_nearest(scenes, order.size), product, order, output, words) for order in orders]


def _check_placement(scene: Scene) -> None:
    if not scene.placement.box.is_within(scene.size):
        raise InvalidInputError("A placement lies outside its background.", "PLACEMENT_OUTSIDE")


def prepare(cutout: Pixels) -> PreparedCutout:
    """Crop a cutout to its visible part, in linear light.

    Raises:
        InvalidInputError: It has no alpha channel.
        PreconditionError: It has no visible pixel.
    """
    if cutout.ndim != 3 or cutout.shape[2] != 4:
        raise InvalidInputError("The cutout has no alpha channel: send RGBA.", "NO_ALPHA")
    left, top, width, height = cv2.boundingRect((cutout[..., 3] >= VISIBLE).astype(np.uint8))
    if not width:
        raise PreconditionError("The cutout has no visible pixel.", "EMPTY_CUTOUT")
    visible = cutout[top : top + height, left : left + width]
    return PreparedCutout(to_premultiplied(visible))


def _nearest(scenes: Sequence[Scene], size: Size) -> Scene:
    return min(scenes, key=lambda scene: abs(np.log(scene.size.aspect_ratio / size.aspect_ratio)))


def _make_one(scene: Scene, product: PreparedCutout, order: Order, output: Output, words: Words | None) -> Creative:
    placement, ad = scene.placement, order.size

    def placed(frame: Box | None) -> tuple[Crop, Box]:
        crop = crop_for(scene.size, placement.box, ad, frame)
        return crop, product_box(product.size, placement.box, crop, ad, frame)

    def moved(box: Box) -> Box:
        return arranged(box, order.arrangement, ad)

    setting = words.best(ad, lambda _layout, frame: placed(frame)[1], moved) if words else None
    crop, box = placed(setting.frame if setting else None)
    box = moved(box)
    photo = product.scaled_to(Size(box.width, box.height))
    layer = clean_edges(photo)
    picture = _lit(scaled(to_linear(_cropped(scene.pixels, crop)), ad), layer, box, placement)
    shown = Shown(picture, photo, layer, box, box.width / product.size.width, scene.origin)
    return finish(shown, order, output, words, setting)


@dataclass(frozen=True)
class Shown:
    """A product in its picture.

    Attributes:
        picture: The creative without the product, but with its shadows, (H, W, 3).
        photo: The product of the photo at its size in it, (h, w, 4), premultiplied.
        layer: The same with clean edges.
        box: Its place.
        enlarged: Size of the product in the creative over that in its photo.
        origin: Where the picture comes from.
        set_name: Name of the set it was rendered in; empty if it was not.
        stands: Whether the product stands on ground that was rendered.
    """

    picture: Light
    photo: Light
    layer: Light
    box: Box
    enlarged: float
    origin: Origin
    set_name: str = ""
    stands: bool = False


def finish(shown: Shown, order: Order, output: Output, words: Words | None, setting: Setting | None) -> Creative:
    """Put the product in its picture, set the words, encode, and check.

    Args:
        shown: The product and its picture.
        order: What was ordered.
        output: Encoding and limits.
        words: Message to set.
        setting: Where it stands; None if there is no room for it, or no message.
    """
    limits = replace(output.limits, file_bytes=order.most_bytes or output.limits.file_bytes)
    ground = prepared(shown.picture, setting) if setting else None
    behind = ground.picture if ground else shown.picture
    pixels = to_srgb(put(behind, shown.layer, shown.box))
    notes = ["there is no room for words"] if words and not setting else []
    if words and ground:
        setting = ground.setting
        pixels = draw(pixels, words.message, ground)
        notes = flaws(ground)
    file = labelled(pixels, output, limits.file_bytes, shown.origin)
    quality = assess(
        shown.layer,
        shown.picture,
        shown.box,
        order.size,
        file,
        limits,
        shown.enlarged,
        stands=shown.stands,
        notes=notes,
    )
    true = fidelity(shown.photo, behind, shown.box, pixels, file)
    return Creative(
        file, quality, true, shown.box, shown.set_name, hashlib.sha256(pixels.tobytes()).hexdigest(), setting
    )


def labelled(pixels: Pixels, output: Output, most_bytes: int, origin: Origin) -> bytes:
    """Encode a creative with its label, and sign it last; both count towards its size.

    Raises:
        PreconditionError: Even the lowest quality is too large.
    """
    source_type = composite_type(origin.source_type)
    xmp, sealed_by = xmp_of(output.label, source_type), output.credentials
    if sealed_by is None:
        return encode_ad(pixels, output.file_format, most_bytes, xmp)
    seal = (output.file_format, source_type, output.label, origin.file)
    file = encode_ad(pixels, output.file_format, most_bytes - sealed_by.room(*seal), xmp)
    return sealed_by.signed(file, *seal)


def _cropped(pixels: Pixels, crop: Crop) -> Pixels:
    height, width = pixels.shape[:2]
    left, top = min(round(crop.left), width - 1), min(round(crop.top), height - 1)
    return pixels[top : top + max(1, round(crop.height)), left : left + max(1, round(crop.width))]


def _lit(picture: Light, layer: Light, box: Box, placement: Placement) -> Light:
    """Return the picture with the reflection and the shadows of the product."""
    ad = Size(picture.shape[1], picture.shape[0])
    if placement.reflectance:
        mirrored = reflection(layer, box, ad, placement.reflectance)
        picture = picture * (1 - mirrored[..., 3:]) + mirrored[..., :3]
    lit = contact_shadow(layer[..., 3], box, ad) * cast_shadow(layer[..., 3], box, ad, placement)
    return picture * tinted(lit, picture)


def put(picture: Light, layer: Light, box: Box) -> Light:
    """Composite a premultiplied layer over a picture, in linear light."""
    finished = picture.copy()
    region = finished[box.top : box.top + box.height, box.left : box.left + box.width]
    region *= 1 - layer[..., 3:]
    region += layer[..., :3]
    return finished
