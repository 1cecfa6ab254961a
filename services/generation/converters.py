"""Conversion between generation messages and the domain."""

from collections.abc import Sequence

from common.errors import InvalidInputError
from common.imaging.codec import rgb
from common.imaging.messages import to_message, to_pixels
from common.settings import ImageLimits
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import Background, BackgroundRequest, Placement, RenderedSet, SceneLight
from services.generation.compose.compose import Creative, Scene
from services.generation.compose.layout import MessageZone
from services.generation.copy.copy import DEFAULT_LOCALE, LOCALES, Copy
from services.generation.geometry import Box, Size
from services.generation.text import plain

MAX_NAME = 100
MAX_DESCRIPTION = 5000
"""Characters of the product name and description."""
SIDES = range(50, 4097)
"""Pixels of a side of a creative."""
MAX_SIZES = 16
SHORT_SIDES = range(240, 1081)
"""Pixels of the shorter side of a background."""
ZONES: dict[generation_pb2.MessageZone.ValueType, MessageZone] = {
    generation_pb2.MESSAGE_ZONE_UNSPECIFIED: "none",
    generation_pb2.MESSAGE_ZONE_LEFT: "left",
    generation_pb2.MESSAGE_ZONE_RIGHT: "right",
    generation_pb2.MESSAGE_ZONE_ABOVE: "above",
    generation_pb2.MESSAGE_ZONE_BELOW: "below",
}
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
    )


def background_response(background: Background | RenderedSet, engine: str) -> generation_pb2.GenerateBackgroundResponse:
    """Return the response to a GenerateBackground call."""
    if isinstance(background, RenderedSet):
        return generation_pb2.GenerateBackgroundResponse(rendered_set=_rendered_set_message(background), engine=engine)
    return generation_pb2.GenerateBackgroundResponse(
        picture=to_message(background.pixels),
        placement=_placement_message(background.placement),
        prompt=background.prompt,
        engine=background.engine,
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


def copy_response(copy: Copy) -> generation_pb2.WriteCopyResponse:
    """Return the response to a WriteCopy call."""
    terms = copy.terms
    return generation_pb2.WriteCopyResponse(
        short_ad=copy.short_ad,
        long_ad=copy.long_ad,
        engine=copy.engine,
        terms=_terms_message(terms) if terms else None,
        note=copy.note,
    )


def sizes(request: generation_pb2.ComposeCreativesRequest) -> list[Size]:
    """Return the sizes of a request.

    Raises:
        InvalidInputError: There are none or too many, or one is out of range.
    """
    if not 1 <= len(request.sizes) <= MAX_SIZES:
        raise InvalidInputError(f"Ask for 1 to {MAX_SIZES} sizes.", "SIZE_COUNT")
    if any(size.width not in SIDES or size.height not in SIDES for size in request.sizes):
        raise InvalidInputError(f"A side must have {SIDES[0]} to {SIDES[-1]} pixels.", "SIZE_RANGE")
    return [Size(size.width, size.height) for size in request.sizes]


def scenes(request: generation_pb2.ComposeCreativesRequest, limits: ImageLimits) -> list[Scene]:
    """Return the scenes of a request.

    Raises:
        InvalidInputError: There are none, a picture cannot be decoded, or a light is out of range.
    """
    if not request.scenes:
        raise InvalidInputError("There is no background to place the product in.", "NO_SCENE")
    return [Scene(rgb(to_pixels(one.picture, limits)), _placement(one.placement)) for one in request.scenes]


def rendered_set(request: generation_pb2.ComposeCreativesRequest) -> RenderedSet | None:
    """Return the set to render, or None if the scenes are pictures.

    Raises:
        InvalidInputError: Its product has no name, or a text is too long.
    """
    message = next((one.rendered_set for one in request.scenes if one.HasField("rendered_set")), None)
    if message is None:
        return None
    return RenderedSet(product(message.product), audience(message.audience), _terms(message.terms), message.seed)


def message_zone(request: generation_pb2.ComposeCreativesRequest) -> MessageZone:
    """Return where room is left for words; an unknown zone means nowhere."""
    return ZONES.get(request.message_zone, "none")


def creatives_response(sizes: Sequence[Size], creatives: Sequence[Creative]) -> generation_pb2.ComposeCreativesResponse:
    """Return the response to a ComposeCreatives call."""
    return generation_pb2.ComposeCreativesResponse(
        creatives=[
            generation_pb2.Creative(
                size=generation_pb2.CreativeSize(width=size.width, height=size.height),
                file=creative.file,
                quality=generation_pb2.Quality(
                    fill=creative.quality.fill,
                    contrast=creative.quality.contrast,
                    flaws=creative.quality.flaws,
                    notes=creative.quality.notes,
                ),
                set=creative.set_name,
            )
            for size, creative in zip(sizes, creatives, strict=True)
        ]
    )


def _rendered_set_message(wanted: RenderedSet) -> generation_pb2.RenderedSet:
    audience, terms = wanted.audience, wanted.terms
    return generation_pb2.RenderedSet(
        product=generation_pb2.Product(name=wanted.product.name, description=wanted.product.description),
        audience=generation_pb2.Audience(gender=audience.gender, age=audience.age, interest=audience.interest),
        terms=_terms_message(terms) if terms else None,
        seed=wanted.seed,
    )


def _terms_message(terms: Terms) -> generation_pb2.Terms:
    return generation_pb2.Terms(product=terms.product, features=terms.features, audience=terms.audience)


def _placement_message(placement: Placement) -> generation_pb2.Placement:
    box, light = placement.box, placement.light
    return generation_pb2.Placement(
        box=image_pb2.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom),
        estimated=placement.estimated,
        light=generation_pb2.Light(right=light.right, up=light.up, towards=light.towards, shadow=light.shadow),
        reflectance=placement.reflectance,
        stand_in=placement.stand_in,
    )


def _placement(message: generation_pb2.Placement) -> Placement:
    box, light = Box(message.box.left, message.box.top, message.box.right, message.box.bottom), message.light
    has_light = message.HasField("light")
    is_from_above = not has_light or light.up > 0
    if not is_from_above or not 0 <= light.shadow <= 1 or not 0 <= message.reflectance <= 1:
        raise InvalidInputError("Light comes from above (up > 0); shadow and reflectance are 0 to 1.", "BAD_LIGHT")
    if not has_light:
        return Placement(box, reflectance=message.reflectance)
    return Placement(box, SceneLight(light.right, light.up, light.towards, light.shadow), message.reflectance)


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
