"""Converts between messages and the domain, and runs the domain in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from productimage.generation.v1 import generation_pb2, generation_pb2_grpc
from productimage.image.v1 import image_pb2
from services.generation.audience import Audience, Product, Terms
from services.generation.background.engine import Placement, SceneLight, Wish, Zone
from services.generation.background.own import take
from services.generation.compose.compose import Backdrop, Creative, Output, compose
from services.generation.compose.layout import Size
from services.generation.compose.quality import Limits
from services.generation.copy.engine import DEFAULT_LOCALE, LOCALES
from services.generation.engines import Engines
from services.generation.settings import GenerationSettings
from services.generation.text import plain
from services.runtime.engines import at_work
from services.runtime.errors import InvalidInputError
from services.runtime.executor import BoundedExecutor
from services.runtime.image import rgb, to_message, to_pixels

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 5000
SIDES = range(50, 4097)
MOST_SIZES = 16
SHORT_SIDES = range(240, 1081)
FLATTEST = 0.1
"""Height over width of the flattest product for which a place is made."""


class GenerationServicer(generation_pb2_grpc.GenerationServiceServicer):
    """The service; see generation.proto."""

    def __init__(self, engines: Engines, settings: GenerationSettings, executor: BoundedExecutor) -> None:
        self._engines = engines
        self._settings = settings
        self._executor = executor
        limits = Limits(settings.least_fill, settings.least_contrast, settings.max_creative_bytes)
        self._output = Output(settings.creative_format, limits)

    async def GenerateBackground(  # noqa: N802
        self, request: generation_pb2.GenerateBackgroundRequest, _context: "Context"
    ) -> generation_pb2.GenerateBackgroundResponse:
        """See generation.proto."""
        return await self._executor.run(self._generate_background, request)

    def _generate_background(
        self, request: generation_pb2.GenerateBackgroundRequest
    ) -> generation_pb2.GenerateBackgroundResponse:
        wish = _wish(request)
        if request.HasField("own_picture"):
            background = take(rgb(to_pixels(request.own_picture, self._settings)), wish.product_aspect_ratio)
        else:
            with at_work("background", self._engines.background.name):
                background = self._engines.background.generate(wish)
        return generation_pb2.GenerateBackgroundResponse(
            picture=to_message(background.pixels),
            placement=_placement_message(background.placement),
            prompt=background.prompt,
            engine=background.engine,
        )

    async def WriteCopy(  # noqa: N802
        self, request: generation_pb2.WriteCopyRequest, _context: "Context"
    ) -> generation_pb2.WriteCopyResponse:
        """See generation.proto."""
        return await self._executor.run(self._write_copy, request)

    def _write_copy(self, request: generation_pb2.WriteCopyRequest) -> generation_pb2.WriteCopyResponse:
        locale = request.locale or DEFAULT_LOCALE
        if locale not in LOCALES:
            raise InvalidInputError(f"Copy is offered in {' and '.join(LOCALES)}.", "UNKNOWN_LOCALE")
        with at_work("copy", self._engines.copy.name):
            copy = self._engines.copy.write(_product(request.product), _audience(request.audience), locale)
        return generation_pb2.WriteCopyResponse(
            short_ad=copy.short_ad,
            long_ad=copy.long_ad,
            engine=copy.engine,
            terms=_terms_message(copy.terms) if copy.terms else None,
            note=copy.note,
        )

    async def ComposeCreatives(  # noqa: N802
        self, request: generation_pb2.ComposeCreativesRequest, _context: "Context"
    ) -> generation_pb2.ComposeCreativesResponse:
        """See generation.proto."""
        return await self._executor.run(self._compose_creatives, request)

    def _compose_creatives(
        self, request: generation_pb2.ComposeCreativesRequest
    ) -> generation_pb2.ComposeCreativesResponse:
        if not request.backdrops:
            raise InvalidInputError("There is no background to place the product in.", "NO_BACKDROP")
        sizes = [_size(size) for size in request.sizes]
        if not 1 <= len(sizes) <= MOST_SIZES:
            raise InvalidInputError(f"Ask for 1 to {MOST_SIZES} sizes.", "SIZE_COUNT")
        backdrops = [self._backdrop(backdrop) for backdrop in request.backdrops]
        cutout = to_pixels(request.cutout, self._settings)
        with at_work("composition", "compose"):
            creatives = compose(backdrops, cutout, sizes, self._output)
        return generation_pb2.ComposeCreativesResponse(
            creatives=[_creative_message(size, one) for size, one in zip(request.sizes, creatives, strict=True)]
        )

    def _backdrop(self, backdrop: generation_pb2.Backdrop) -> Backdrop:
        return Backdrop(rgb(to_pixels(backdrop.picture, self._settings)), _placement(backdrop.placement))


def _wish(request: generation_pb2.GenerateBackgroundRequest) -> Wish:
    if request.short_side and request.short_side not in SHORT_SIDES:
        raise InvalidInputError(f"short_side must be {SHORT_SIDES[0]} to {SHORT_SIDES[-1]} pixels.", "SHORT_SIDE")
    return Wish(
        product=_product(request.product),
        audience=_audience(request.audience),
        aspect_ratio=_aspect_ratio(request.aspect_ratio),
        seed=request.seed,
        terms=_terms(request.terms),
        product_aspect_ratio=_shape(request.product_aspect_ratio),
        short_side=request.short_side,
    )


def _placement_message(placement: Placement) -> generation_pb2.Placement:
    zone, light = placement.zone, placement.light
    return generation_pb2.Placement(
        zone=image_pb2.Box(left=zone.left, top=zone.top, right=zone.right, bottom=zone.bottom),
        estimated=placement.estimated,
        light=generation_pb2.Light(right=light.right, up=light.up, towards=light.towards, shadow=light.shadow),
        reflectance=placement.reflectance,
        stand_in=placement.stand_in,
    )


def _placement(message: generation_pb2.Placement) -> Placement:
    zone, light = message.zone, message.light
    room = Zone(zone.left, zone.top, zone.right, zone.bottom)
    if not message.HasField("light"):
        return Placement(room, reflectance=message.reflectance)
    if not light.up > 0 or not 0 <= light.shadow <= 1 or not 0 <= message.reflectance <= 1:
        raise InvalidInputError("Light comes from above (up > 0); shadow and reflectance are 0 to 1.", "BAD_LIGHT")
    return Placement(room, SceneLight(light.right, light.up, light.towards, light.shadow), message.reflectance)


def _creative_message(size: generation_pb2.CreativeSize, creative: Creative) -> generation_pb2.Creative:
    quality = creative.quality
    return generation_pb2.Creative(
        size=size,
        file=creative.file,
        quality=generation_pb2.Quality(fill=quality.fill, contrast=quality.contrast, flaws=quality.flaws),
    )


def _product(product: generation_pb2.Product) -> Product:
    name = plain(product.name)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInputError(f"The product's name must have 1 to {LONGEST_NAME} visible characters.", "NAME_LENGTH")
    if len(product.description) > LONGEST_DESCRIPTION:
        raise InvalidInputError(
            f"The description has more than {LONGEST_DESCRIPTION} characters: shorten it.", "DESCRIPTION_LENGTH"
        )
    return Product(name, product.description)


def _audience(audience: generation_pb2.Audience) -> Audience:
    return Audience.of(audience.gender, audience.age, audience.interest)


def _terms(terms: generation_pb2.Terms) -> Terms | None:
    return Terms(terms.product, tuple(terms.features), terms.audience) if terms.product else None


def _terms_message(terms: Terms) -> generation_pb2.Terms:
    return generation_pb2.Terms(product=terms.product, features=terms.features, audience=terms.audience)


def _aspect_ratio(ratio: generation_pb2.AspectRatio) -> float:
    if not ratio.width or not ratio.height or not 1 / 4 <= ratio.width / ratio.height <= 4:
        raise InvalidInputError("The aspect ratio must be between 1:4 and 4:1.", "ASPECT_RATIO")
    return ratio.width / ratio.height


def _shape(ratio: float) -> float:
    """Give a product's proportions, within what can be placed; 0 when they are not known."""
    return min(max(ratio, FLATTEST), 1 / FLATTEST) if ratio > 0 else 0.0


def _size(size: generation_pb2.CreativeSize) -> Size:
    if size.width not in SIDES or size.height not in SIDES:
        raise InvalidInputError(f"A side must have {SIDES[0]} to {SIDES[-1]} pixels.", "SIZE_RANGE")
    return Size(size.width, size.height)
