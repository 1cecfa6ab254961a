"""Generation servicer: delegates each call to the domain, in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from common.errors import PreconditionError
from common.imaging.codec import rgb
from common.imaging.messages import to_pixels
from common.serving.engines import observe_engine
from common.serving.executor import BoundedExecutor
from productimage.generation.v1 import generation_pb2, generation_pb2_grpc
from services.generation import converters
from services.generation.background.user_background import place_in
from services.generation.compose.compose import compose
from services.generation.compose.in_set import compose_in_set
from services.generation.compose.keep import keep, reopened
from services.generation.compose.quality import Limits
from services.generation.engines.base import Engines
from services.generation.engines.models import read_on
from services.generation.label.credentials import Credentials
from services.generation.message.fonts import Fonts
from services.generation.message.words import Words
from services.generation.placement.place import place_product
from services.generation.settings import GenerationSettings

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class GenerationServicer(generation_pb2_grpc.GenerationServiceServicer):
    """See generation.proto."""

    def __init__(self, engines: Engines, settings: GenerationSettings, executor: BoundedExecutor) -> None:
        self._engines = engines
        self._settings = settings
        self._executor = executor
        self._limits = Limits(settings.min_fill, settings.min_contrast, settings.max_creative_bytes)
        self._fonts = Fonts(settings.weights_dir)
        self._credentials = Credentials.of(settings)

    async def GenerateBackground(  # noqa: N802
        self, request: generation_pb2.GenerateBackgroundRequest, _context: "Context"
    ) -> generation_pb2.GenerateBackgroundResponse:
        """See generation.proto."""
        return await self._executor.run(self._generate_background, request)

    def _generate_background(
        self, request: generation_pb2.GenerateBackgroundRequest
    ) -> generation_pb2.GenerateBackgroundResponse:
        background_request = converters.background_request(request)
        if request.HasField("user_picture"):
            picture = rgb(to_pixels(request.user_picture, self._settings))
            ratio = background_request.product_aspect_ratio
            placed = place_in(picture, ratio, request.user_picture.encoded)
            return converters.background_response(placed)
        engine = self._engines.background
        with observe_engine("background", engine.name):
            return converters.background_response(engine.generate(background_request))

    async def PlaceProduct(  # noqa: N802
        self, request: generation_pb2.PlaceProductRequest, _context: "Context"
    ) -> generation_pb2.PlaceProductResponse:
        """See generation.proto."""
        return await self._executor.run(self._place_product, request)

    def _place_product(self, request: generation_pb2.PlaceProductRequest) -> generation_pb2.PlaceProductResponse:
        picture = rgb(to_pixels(request.picture, self._settings))
        wanted = converters.placing(request, picture, self._settings)
        placed = place_product(picture, wanted.found, wanted.default, wanted.ratio, wanted.stance)
        return converters.place_product_response(placed)

    async def WriteCopy(  # noqa: N802
        self, request: generation_pb2.WriteCopyRequest, _context: "Context"
    ) -> generation_pb2.WriteCopyResponse:
        """See generation.proto."""
        return await self._executor.run(self._write_copy, request)

    def _write_copy(self, request: generation_pb2.WriteCopyRequest) -> generation_pb2.WriteCopyResponse:
        wanted = converters.copy_request(request)
        with observe_engine("copy", self._engines.copy.name):
            copy = self._engines.copy.write(wanted)
        return converters.copy_response(copy)

    async def EstimateCosts(  # noqa: N802
        self, request: generation_pb2.EstimateCostsRequest, _context: "Context"
    ) -> generation_pb2.EstimateCostsResponse:
        """See generation.proto."""
        background, copy = self._engines.background, self._engines.copy
        return generation_pb2.EstimateCostsResponse(
            dollars_per_picture=background.dollars_per_picture,
            dollars_per_copy=copy.estimate(converters.copy_request(request.copy)),
            background_engine=background.name,
            copy_engine=copy.name,
            prices_read=read_on().isoformat(),
        )

    async def ComposeCreatives(  # noqa: N802
        self, request: generation_pb2.ComposeCreativesRequest, _context: "Context"
    ) -> generation_pb2.ComposeCreativesResponse:
        """See generation.proto."""
        return await self._executor.run(self._compose_creatives, request)

    def _compose_creatives(
        self, request: generation_pb2.ComposeCreativesRequest
    ) -> generation_pb2.ComposeCreativesResponse:
        orders, wanted = converters.orders(request), converters.rendered_set(request)
        cutout = to_pixels(request.cutout, self._settings)
        output = converters.output(request, self._settings.creative_format, self._limits, self._credentials)
        message = converters.message(request, self._settings)
        words = Words(message, self._fonts) if message else None
        if wanted is None:
            scenes = converters.scenes(request, self._settings)
            kept = [keep(scene) for scene in scenes] if request.keep_backgrounds else []
            if kept:
                scenes = [reopened(scene, one, self._settings) for scene, one in zip(scenes, kept, strict=True)]
            with observe_engine("composition", "compose"):
                creatives = compose(scenes, cutout, orders, output, words)
            return converters.creatives_response(orders, creatives, kept)
        if self._engines.sets is None:
            raise PreconditionError("Sets are rendered only where they are the background engine.", "NO_SETS")
        zone = converters.message_zone(request)
        with observe_engine("composition", self._engines.sets.name):
            creatives = compose_in_set(self._engines.sets, wanted, cutout, orders, output, zone, words)
        return converters.creatives_response(orders, creatives)
