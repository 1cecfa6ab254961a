"""Conversion between generation messages and the domain."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from common.errors import InvalidInputError
from common.imaging.codec import Pixels, rgb
from common.imaging.messages import to_mask, to_message, to_pixels
from common.labels import carries_credentials
from common.platforms import platforms
from common.settings import ImageLimits
from common.styles import styles
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.provenance.v1 import provenance_pb2
from productimage.text.v1 import text_pb2
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import Background, BackgroundRequest, Origin, Preferences, RenderedSet
from services.generation.background.prompt import MAX_PREFERENCE
from services.generation.compose.compose import Creative, Order, Output, Scene
from services.generation.compose.files import FileFormat
from services.generation.compose.keep import Kept
from services.generation.compose.quality import Limits
from services.generation.copy.copy import DEFAULT_LOCALE, LOCALES, TONES, Copy, CopyRequest
from services.generation.geometry import Arrangement, Box, MessageZone, Size
from services.generation.label.credentials import Credentials
from services.generation.label.label import Label
from services.generation.message.layouts import layout_names
from services.generation.message.message import FONTS, MOST_CHARACTERS, Colour, Message
from services.generation.message.setting import Setting
from services.generation.placement.found import Found, Thing
from services.generation.placement.place import Placed
from services.generation.placement.placement import SLIGHTLY_DOWN, Placement, SceneLight
from services.generation.stance import Stance, stance_of
from services.generation.text import plain

MAX_NAME = 100
MAX_DESCRIPTION = 5000
"""Characters of the product name and description."""
SIDES = range(50, 4097)
"""Pixels of a side of a creative."""
MAX_SIZES = 40
SCALES = (0.25, 4)
"""Least and largest factor by which a product is scaled."""
MAX_REGIONS = 64
"""Things, and surfaces, in which a product is placed."""
SHORT_SIDES = range(240, 1201)
"""Pixels of the shorter side of a background."""
ZONES: dict[generation_pb2.MessageZone.ValueType, MessageZone] = {
    generation_pb2.MESSAGE_ZONE_UNSPECIFIED: "none",
    generation_pb2.MESSAGE_ZONE_LEFT: "left",
    generation_pb2.MESSAGE_ZONE_RIGHT: "right",
    generation_pb2.MESSAGE_ZONE_ABOVE: "above",
    generation_pb2.MESSAGE_ZONE_BELOW: "below",
}
FILE_FORMATS: dict[generation_pb2.FileFormat.ValueType, FileFormat] = {
    generation_pb2.FILE_FORMAT_JPEG: "jpeg",
    generation_pb2.FILE_FORMAT_WEBP: "webp",
    generation_pb2.FILE_FORMAT_PNG: "png",
}
MAX_IDENTIFIER = 100
LOGO_SIDE = 1200
"""Pixels of the longer side of a logo that are kept."""
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
STEEPEST = 1.5
"""Angle by which a camera looks down at most, in radians."""
SOFTEST = 10
"""Softness of shadows at most."""
FLATTEST = 0.1
"""Height over width of the flattest product that can be placed."""


def background_request(request: generation_pb2.GenerateBackgroundRequest) -> BackgroundRequest:
    """Return what background to make.

    Raises:
        InvalidInputError: A value is out of range.
    """
    if request.short_side and request.short_side not in SHORT_SIDES:
        raise InvalidInputError(f"short_side must be {SHORT_SIDES[0]} to {SHORT_SIDES[-1]} pixels.", "SHORT_SIDE")
    return BackgroundRequest(
        product=product(request.product),
        audience=audience(request.audience),
        aspect_ratio=_aspect_ratio(request.aspect_ratio),
        seed=request.seed,
        terms=_terms(request.terms),
        product_aspect_ratio=_product_aspect_ratio(request.product_aspect_ratio),
        short_side=request.short_side,
        preferences=preferences(request.preferences),
        zone=ZONES.get(request.message_zone, "none"),
    )


def preferences(message: text_pb2.Preferences) -> Preferences:
    """Return what a user asks of the scene.

    Raises:
        InvalidInputError: A preference is too long or out of range, or the style or the colour is unknown.
    """
    scene, avoid = plain(message.scene), plain(message.avoid)
    if max(len(scene), len(avoid)) > MAX_PREFERENCE:
        raise InvalidInputError(f"Scenes have at most {MAX_PREFERENCE} characters: shorten it.", "PREFERENCE_LENGTH")
    if message.style and message.style not in styles():
        raise InvalidInputError(f"Styles are {', '.join(styles())}.", "UNKNOWN_STYLE")
    _colour(message.colour)
    shadow = message.shadow if message.HasField("shadow") else Preferences.shadow
    if not 0 <= shadow <= 1:
        raise InvalidInputError("The shadow in a set is from 0 to 1.", "SHADOW")
    return Preferences(scene, avoid, message.style, message.colour, shadow)


def background_response(background: Background | RenderedSet) -> generation_pb2.GenerateBackgroundResponse:
    """Return the response to a GenerateBackground call."""
    if isinstance(background, RenderedSet):
        return generation_pb2.GenerateBackgroundResponse(
            rendered_set=_rendered_set_message(background), engine=background.engine, note=background.note
        )
    return generation_pb2.GenerateBackgroundResponse(
        picture=to_message(background.pixels),
        placement=_placement_message(background.placement),
        prompt=background.prompt,
        engine=background.engine,
        note=background.note,
        dollars=background.dollars,
        origin=generation_pb2.Origin(**vars(background.origin)),
    )


@dataclass(frozen=True)
class Placing:
    """What to place, and where.

    Attributes:
        found: What is in the picture.
        default: Where the product would go if nothing were there.
        ratio: Width over height of the product.
        stance: How the product is shown.
    """

    found: Found
    default: Placement
    ratio: float
    stance: Stance


def placing(request: generation_pb2.PlaceProductRequest, picture: Pixels, limits: ImageLimits) -> Placing:
    """Return what to place, and where.

    Args:
        request: The request.
        picture: Its picture, (H, W, 3).
        limits: Limits of masks.

    Raises:
        InvalidInputError: There are too many regions, or one or the placement lies outside the picture or is empty.
    """
    if max(len(request.things), len(request.surfaces)) > MAX_REGIONS:
        raise InvalidInputError(f"A request takes at most {MAX_REGIONS} things and surfaces.", "TOO_MANY_OBJECTS")
    height, width = picture.shape[:2]
    things = [to_mask(region, height, width, limits) for region in request.things]
    surfaces = [to_mask(region, height, width, limits) for region in request.surfaces]
    if not all(mask.any() for mask in (*things, *surfaces)):
        raise InvalidInputError("A region is empty: its mask marks nothing.", "EMPTY_REGION")
    default = _placement(request.placement)
    if not default.box.is_within(Size(width, height)):
        raise InvalidInputError("The placement lies outside the picture.", "PLACEMENT_OUTSIDE")
    named = product(request.product)
    return Placing(
        Found([Thing(mask) for mask in things], surfaces),
        default,
        _product_aspect_ratio(request.product_aspect_ratio) or default.box.width / default.box.height,
        stance_of(named, _terms(request.terms)),
    )


def place_product_response(placed: Placed) -> generation_pb2.PlaceProductResponse:
    """Return the response to a PlaceProduct call."""
    return generation_pb2.PlaceProductResponse(
        placement=_placement_message(placed.placement), removed=placed.removed, notes=placed.notes
    )


def product(message: generation_pb2.Product) -> Product:
    """Return the product, its name reduced to one visible line.

    Raises:
        InvalidInputError: The name is empty, or a text is too long.
    """
    name = plain(message.name)
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInputError(f"The product's name must have 1 to {MAX_NAME} visible characters.", "NAME_LENGTH")
    if len(message.description) > MAX_DESCRIPTION:
        raise InvalidInputError(
            f"The description has more than {MAX_DESCRIPTION} characters: shorten it.", "DESCRIPTION_LENGTH"
        )
    return Product(name, message.description)


def audience(message: generation_pb2.Audience) -> Audience:
    """Return the audience; unknown values mean everyone."""
    return Audience.of(message.gender, message.age, message.interest)


def locale(requested: str) -> str:
    """Return the locale to write in.

    Raises:
        InvalidInputError: It is not offered.
    """
    chosen = requested or DEFAULT_LOCALE
    if chosen not in LOCALES:
        raise InvalidInputError(f"Copy is offered in {' and '.join(LOCALES)}.", "UNKNOWN_LOCALE")
    return chosen


def copy_request(request: generation_pb2.WriteCopyRequest) -> CopyRequest:
    """Return what to write.

    Raises:
        InvalidInputError: The product has no name, a text is too long, or a locale, platform or tone is not offered.
    """
    for platform in request.platforms:
        if platform not in platforms():
            raise InvalidInputError(f"Platforms are {', '.join(platforms())}.", "UNKNOWN_PLATFORM")
    if request.tone not in ("", *TONES):
        raise InvalidInputError(f"Tones are {' and '.join(TONES)}.", "UNKNOWN_TONE")
    return CopyRequest(
        product(request.product),
        audience(request.audience),
        locale(request.locale),
        tuple(request.platforms),
        plain(request.brand)[:MAX_NAME],
        request.tone,
        request.seed,
    )


def copy_response(copy: Copy) -> generation_pb2.WriteCopyResponse:
    """Return the response to a WriteCopy call."""
    terms = copy.terms
    return generation_pb2.WriteCopyResponse(
        short_ad=copy.short_ad,
        long_ad=copy.long_ad,
        engine=copy.engine,
        terms=_terms_message(terms) if terms else None,
        note=copy.note,
        headline=copy.headline,
        call_to_action=copy.call_to_action,
        fields=[
            text_pb2.TextField(platform=field.platform, name=field.name, texts=field.texts) for field in copy.fields
        ],
        dollars=copy.dollars,
    )


def orders(request: generation_pb2.ComposeCreativesRequest) -> list[Order]:
    """Return the creatives that a request orders.

    Raises:
        InvalidInputError: There are none or too many, or a size or an arrangement is out of range.
    """
    if not 1 <= len(request.sizes) <= MAX_SIZES:
        raise InvalidInputError(f"Ask for 1 to {MAX_SIZES} sizes.", "SIZE_COUNT")
    if any(size.width not in SIDES or size.height not in SIDES for size in request.sizes):
        raise InvalidInputError(f"A side must have {SIDES[0]} to {SIDES[-1]} pixels.", "SIZE_RANGE")
    return [Order(Size(size.width, size.height), size.most_bytes, _arrangement(size)) for size in request.sizes]


def _arrangement(size: generation_pb2.CreativeSize) -> Arrangement:
    moved = size.arrangement
    scale = moved.scale or 1.0
    if not (abs(moved.right) <= 1 and abs(moved.down) <= 1 and SCALES[0] <= scale <= SCALES[1]):
        raise InvalidInputError(
            f"A product moves by -1 to 1 of the creative, and is scaled by {SCALES[0]} to {SCALES[1]}.",
            "BAD_ARRANGEMENT",
        )
    return Arrangement(moved.right, moved.down, scale)


def message(request: generation_pb2.ComposeCreativesRequest, limits: ImageLimits) -> Message | None:
    """Return the message to set; None if there is none.

    Raises:
        InvalidInputError: A text is too long, a colour, font or layout is unknown, or the logo cannot be read.
    """
    wanted = request.message
    texts = {name: plain(getattr(wanted.words, name)) for name in MOST_CHARACTERS}
    for name, most in MOST_CHARACTERS.items():
        if len(texts[name]) > most:
            raise InvalidInputError(f"The {name} has more than {most} characters: shorten it.", "MESSAGE_TEXT")
    if wanted.layout and wanted.layout not in layout_names():
        raise InvalidInputError(f"Layouts are {', '.join(sorted(layout_names()))}.", "UNKNOWN_LAYOUT")
    if wanted.font not in ("", *FONTS):
        raise InvalidInputError(f"Fonts are {' and '.join(FONTS)}.", "UNKNOWN_FONT")
    logo = _logo(wanted.logo, limits) if wanted.logo else None
    if logo is None and not any(texts.values()):
        return None
    return Message(
        **texts,
        logo=logo,
        primary=_colour(wanted.primary_colour),
        secondary=_colour(wanted.secondary_colour),
        font=wanted.font or FONTS[0],
        layout=wanted.layout,
    )


def _logo(file: bytes, limits: ImageLimits) -> Pixels:
    """Return the visible part of a logo, (h, w, 4), reduced to what an ad can show."""
    pixels = to_pixels(image_pb2.Image(encoded=file), limits)
    if pixels.ndim == 2:
        pixels = np.dstack([pixels] * 3)
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    left, top, width, height = cv2.boundingRect((pixels[..., 3] > 0).astype(np.uint8))
    if not width:
        raise InvalidInputError("The logo has no visible pixel.", "BRAND_LOGO")
    visible = pixels[top : top + height, left : left + width]
    scale = LOGO_SIDE / max(width, height)
    if scale >= 1:
        return visible
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(visible, size, interpolation=cv2.INTER_AREA))


def _colour(text: str) -> Colour | None:
    if not text:
        return None
    if not _COLOUR.fullmatch(text):
        raise InvalidInputError("A colour is written as #RRGGBB, such as #C8102E.", "BAD_COLOUR")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def output(
    request: generation_pb2.ComposeCreativesRequest,
    file_format: FileFormat,
    limits: Limits,
    credentials: Credentials | None = None,
) -> Output:
    """Return how the creatives are encoded: as the request says, else as configured.

    Raises:
        InvalidInputError: The identifier of the label is too long.
    """
    label = request.label
    if len(label.identifier) > MAX_IDENTIFIER:
        raise InvalidInputError(f"An identifier has at most {MAX_IDENTIFIER} characters.", "LABEL")
    known = Label(plain(label.identifier), label.photo_sha256)
    return Output(FILE_FORMATS.get(request.file_format, file_format), limits, known, credentials)


def scenes(request: generation_pb2.ComposeCreativesRequest, limits: ImageLimits) -> list[Scene]:
    """Return the scenes of a request.

    Raises:
        InvalidInputError: There are none, a picture cannot be decoded, or a light is out of range.
    """
    if not request.scenes:
        raise InvalidInputError("There is no background to place the product in.", "NO_SCENE")
    return [
        Scene(rgb(to_pixels(one.picture, limits)), _placement(one.placement), _origin(one.origin))
        for one in request.scenes
    ]


def _origin(message: generation_pb2.Origin) -> Origin:
    return Origin(message.source_type, message.file if carries_credentials(message.file) else b"")


def rendered_set(request: generation_pb2.ComposeCreativesRequest) -> RenderedSet | None:
    """Return the set to render, or None if the scenes are pictures.

    Raises:
        InvalidInputError: Its product has no name, or a text is too long.
    """
    message = next((one.rendered_set for one in request.scenes if one.HasField("rendered_set")), None)
    if message is None:
        return None
    return RenderedSet(
        product(message.product),
        audience(message.audience),
        _terms(message.terms),
        message.seed,
        preferences(message.preferences),
        name=message.name,
    )


def message_zone(request: generation_pb2.ComposeCreativesRequest) -> MessageZone:
    """Return where room is left for words; an unknown zone means nowhere."""
    return ZONES.get(request.message_zone, "none")


def creatives_response(
    orders: Sequence[Order], creatives: Sequence[Creative], kept: Sequence[Kept] = ()
) -> generation_pb2.ComposeCreativesResponse:
    """Return the response to a ComposeCreatives call."""
    return generation_pb2.ComposeCreativesResponse(
        creatives=[
            generation_pb2.Creative(
                size=generation_pb2.CreativeSize(width=order.size.width, height=order.size.height),
                file=creative.file,
                quality=generation_pb2.Quality(
                    fill=creative.quality.fill,
                    contrast=creative.quality.contrast,
                    flaws=creative.quality.flaws,
                    notes=creative.quality.notes,
                ),
                set=creative.set_name,
                pixels_sha256=creative.pixels_sha256,
                fidelity=provenance_pb2.Fidelity(
                    picture=f"{order.size.width}x{order.size.height}", **vars(creative.fidelity)
                ),
                product=_box_message(creative.product),
                placed=_placed(creative.setting, order) if creative.setting else None,
            )
            for order, creative in zip(orders, creatives, strict=True)
        ],
        kept_scenes=[
            generation_pb2.KeptScene(file=one.file, placement=_placement_message(one.placement)) for one in kept
        ],
    )


def _placed(setting: Setting, order: Order) -> text_pb2.PlacedMessage:
    return text_pb2.PlacedMessage(
        picture=f"{order.size.width}x{order.size.height}",
        layout=setting.layout.name,
        elements=[
            text_pb2.PlacedElement(element=block.element, box=_box_message(block.box)) for block in setting.blocks
        ],
    )


def _box_message(box: Box) -> image_pb2.Box:
    return image_pb2.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom)


def _rendered_set_message(wanted: RenderedSet) -> generation_pb2.RenderedSet:
    audience, terms = wanted.audience, wanted.terms
    return generation_pb2.RenderedSet(
        product=generation_pb2.Product(name=wanted.product.name, description=wanted.product.description),
        audience=generation_pb2.Audience(gender=audience.gender, age=audience.age, interest=audience.interest),
        terms=_terms_message(terms) if terms else None,
        seed=wanted.seed,
        preferences=text_pb2.Preferences(**vars(wanted.preferences)),
        name=wanted.name,
    )


def _terms_message(terms: Terms) -> generation_pb2.Terms:
    return generation_pb2.Terms(product=terms.product, features=terms.features, audience=terms.audience)


def _placement_message(placement: Placement) -> generation_pb2.Placement:
    box, light = placement.box, placement.light
    return generation_pb2.Placement(
        box=_box_message(box),
        estimated=placement.estimated,
        light=generation_pb2.Light(
            right=light.right, up=light.up, towards=light.towards, shadow=light.shadow, softness=light.softness
        ),
        reflectance=placement.reflectance,
        stand_in=placement.stand_in,
        pitch=placement.pitch,
    )


def _placement(message: generation_pb2.Placement) -> Placement:
    box, light = Box(message.box.left, message.box.top, message.box.right, message.box.bottom), message.light
    has_light = message.HasField("light")
    is_from_above = not has_light or light.up > 0
    is_possible = 0 <= light.shadow <= 1 and 0 <= message.reflectance <= 1 and 0 <= light.softness <= SOFTEST
    if not is_from_above or not is_possible:
        raise InvalidInputError(
            f"Light comes from above (up > 0); shadow and reflectance are 0 to 1, softness 0 to {SOFTEST}.", "BAD_LIGHT"
        )
    if not 0 <= message.pitch <= STEEPEST:
        raise InvalidInputError(f"The pitch must be within 0 and {STEEPEST} radians.", "BAD_PITCH")
    found = SceneLight(light.right, light.up, light.towards, light.shadow, light.softness or 1.0)
    return Placement(
        box,
        found if has_light else SceneLight(),
        message.reflectance,
        estimated=message.estimated,
        stand_in=message.stand_in,
        pitch=message.pitch or SLIGHTLY_DOWN,
    )


def _terms(message: generation_pb2.Terms) -> Terms | None:
    return Terms(message.product, tuple(message.features), message.audience) if message.product else None


def _aspect_ratio(ratio: generation_pb2.AspectRatio) -> float:
    if not ratio.width or not ratio.height or not 1 / 4 <= ratio.width / ratio.height <= 4:
        raise InvalidInputError("The aspect ratio must be between 1:4 and 4:1.", "ASPECT_RATIO")
    return ratio.width / ratio.height


def _product_aspect_ratio(ratio: float) -> float:
    """Clamp the proportions of a product to what can be placed; 0 if they are unknown."""
    if ratio < 0:
        raise InvalidInputError("product_aspect_ratio must not be negative.", "PRODUCT_ASPECT_RATIO")
    return min(max(ratio, FLATTEST), 1 / FLATTEST) if ratio > 0 else 0.0
