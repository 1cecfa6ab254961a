"""Generation servicer: delegates each call to the domain, in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from common.imaging.codec import rgb
from common.imaging.messages import to_pixels
from common.serving.engines import observe_engine
from common.serving.executor import BoundedExecutor
from productimage.generation.v1 import generation_pb2, generation_pb2_grpc
from services.generation import converters
from services.generation.background.user_background import place_in
from services.generation.compose.compose import Output, compose
from services.generation.compose.quality import Limits
from services.generation.engines.base import Engines
from services.generation.settings import GenerationSettings

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class GenerationServicer(generation_pb2_grpc.GenerationServiceServicer):
    """See generation.proto."""

    def __init__(self, engines: Engines, settings: GenerationSettings, executor: BoundedExecutor) -> None:
        self._engines = engines
        self._settings = settings
        self._executor = executor
        limits = Limits(settings.min_fill, settings.min_contrast, settings.max_creative_bytes)
        self._output = Output(settings.creative_format, limits)

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
            background = place_in(picture, background_request.product_aspect_ratio)
        else:
            with observe_engine("background", self._engines.background.name):
                background = self._engines.background.generate(background_request)
        return converters.background_response(background)

    async def WriteCopy(  # noqa: N802
        self, request: generation_pb2.WriteCopyRequest, _context: "Context"
    ) -> generation_pb2.WriteCopyResponse:
        """See generation.proto."""
        return await self._executor.run(self._write_copy, request)

    def _write_copy(self, request: generation_pb2.WriteCopyRequest) -> generation_pb2.WriteCopyResponse:
        product, audience = converters.product(request.product), converters.audience(request.audience)
        locale = converters.locale(request.locale)
        with observe_engine("copy", self._engines.copy.name):
            copy = self._engines.copy.write(product, audience, locale)
        return converters.copy_response(copy)

    async def ComposeCreatives(  # noqa: N802
        self, request: generation_pb2.ComposeCreativesRequest, _context: "Context"
    ) -> generation_pb2.ComposeCreativesResponse:
        """See generation.proto."""
        return await self._executor.run(self._compose_creatives, request)

    def _compose_creatives(
        self, request: generation_pb2.ComposeCreativesRequest
    ) -> generation_pb2.ComposeCreativesResponse:
        sizes, scenes = converters.sizes(request), converters.scenes(request, self._settings)
        cutout = to_pixels(request.cutout, self._settings)
        with observe_engine("composition", "compose"):
            creatives = compose(scenes, cutout, sizes, self._output)
        return converters.creatives_response(sizes, creatives)
