"""Converts between messages and the domain, and runs the domain in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from productimage.inpainting.v1 import inpainting_pb2, inpainting_pb2_grpc
from services.inpainting.engine import Inpainter
from services.inpainting.fill import FillOptions, fill
from services.inpainting.settings import InpaintingSettings
from services.runtime.engines import at_work
from services.runtime.errors import InvalidInputError
from services.runtime.executor import BoundedExecutor
from services.runtime.image import rgb, to_message, to_pixels

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class InpaintingServicer(inpainting_pb2_grpc.InpaintingServiceServicer):
    """The service; see inpainting.proto."""

    def __init__(self, engine: Inpainter, settings: InpaintingSettings, executor: BoundedExecutor) -> None:
        self._engine = engine
        self._limits = settings
        self._options = FillOptions(settings.dilation, settings.context, settings.batch_size)
        self._executor = executor

    async def Inpaint(  # noqa: N802
        self, request: inpainting_pb2.InpaintRequest, _context: "Context"
    ) -> inpainting_pb2.InpaintResponse:
        """See inpainting.proto."""
        return await self._executor.run(self._inpaint, request)

    def _inpaint(self, request: inpainting_pb2.InpaintRequest) -> inpainting_pb2.InpaintResponse:
        picture = rgb(to_pixels(request.picture, self._limits))
        mask = to_pixels(request.mask, self._limits)
        if mask.ndim == 3:
            if (mask[..., :1] != mask[..., :3]).any():
                raise InvalidInputError("The mask has colours: send a grey picture, 255 = fill.", "MASK_COLOURS")
            mask = mask[..., 0]
        with at_work("inpainting", self._engine.name):
            filled = fill(picture, mask >= 128, self._engine, self._options)
        return inpainting_pb2.InpaintResponse(picture=to_message(filled), engine=self._engine.name)
