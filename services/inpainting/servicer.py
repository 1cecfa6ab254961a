"""Inpainting servicer: delegates each call to the domain, in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from common.imaging.codec import encode_lossless, rgb
from common.imaging.messages import to_message, to_pixels
from common.serving.engines import observe_engine
from common.serving.executor import BoundedExecutor
from productimage.inpainting.v1 import inpainting_pb2, inpainting_pb2_grpc
from services.inpainting import converters
from services.inpainting.engines.base import Inpainter
from services.inpainting.fill.fill import FillOptions, fill
from services.inpainting.removal.removal import remove_objects
from services.inpainting.settings import InpaintingSettings

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class InpaintingServicer(inpainting_pb2_grpc.InpaintingServiceServicer):
    """See inpainting.proto."""

    def __init__(self, engine: Inpainter, settings: InpaintingSettings, executor: BoundedExecutor) -> None:
        self._engine = engine
        self._settings = settings
        self._options = FillOptions(settings.dilation, settings.context, settings.batch_size)
        self._executor = executor

    async def Inpaint(  # noqa: N802
        self, request: inpainting_pb2.InpaintRequest, _context: "Context"
    ) -> inpainting_pb2.InpaintResponse:
        """See inpainting.proto."""
        return await self._executor.run(self._inpaint, request)

    def _inpaint(self, request: inpainting_pb2.InpaintRequest) -> inpainting_pb2.InpaintResponse:
        picture, mask = rgb(to_pixels(request.picture, self._settings)), converters.mask(request.mask, self._settings)
        with observe_engine("inpainting", self._engine.name):
            filled = fill(picture, mask, self._engine, self._options)
        return inpainting_pb2.InpaintResponse(picture=to_message(filled), engine=self._engine.name)

    async def RemoveObjects(  # noqa: N802
        self, request: inpainting_pb2.RemoveObjectsRequest, _context: "Context"
    ) -> inpainting_pb2.RemoveObjectsResponse:
        """See inpainting.proto."""
        return await self._executor.run(self._remove_objects, request)

    def _remove_objects(self, request: inpainting_pb2.RemoveObjectsRequest) -> inpainting_pb2.RemoveObjectsResponse:
        picture = rgb(to_pixels(request.picture, self._settings))
        objects = converters.objects(request, picture, self._settings)
        with observe_engine("inpainting", self._engine.name):
            cleared = remove_objects(picture, objects, self._engine, self._options, self._settings.removal_fringe)
        kept = encode_lossless(picture) if request.keep_picture else b""
        return inpainting_pb2.RemoveObjectsResponse(
            picture=to_message(cleared), engine=self._engine.name, kept_picture=kept
        )
