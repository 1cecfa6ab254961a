"""The three services with models, in one process, with engines that only take their time.

    python -m testing.fixed_engines

For tests and benches that are about what surrounds the engines. Settings are those of a service, under FIXED_*.
"""

import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.message import Message
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.serving.engines import EngineRegistry
from common.serving.executor import BoundedExecutor
from common.serving.server import Register, serve
from common.settings import ServiceSettings
from productimage.generation.v1 import generation_pb2, generation_pb2_grpc
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2, inpainting_pb2_grpc
from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from testing.pictures import disc_cutout, encoded, texture

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

Answer = TypeVar("Answer", bound=Message)
SERVICES = ("productimage.segmentation.v1.SegmentationService",)
ENGINE = "fixed"
CUTOUT = encoded(disc_cutout(160))
BOUNDS = image_pb2.Box(left=16, top=16, right=144, bottom=144)


class FixedSettings(ServiceSettings):
    """Read from FIXED_* in the environment."""

    model_config = SettingsConfigDict(env_prefix="FIXED_")

    seconds: float = Field(0.02, ge=0, description="How long every call takes.")
    dollars: float = Field(0, ge=0, description="What a background costs.")
    largest_side: int = Field(10_000, gt=0, description="Of a background, on its shorter side.")
    empty: Path | None = Field(None, description='File that names the method whose responses are empty: "CutOut".')


class FixedEngines(
    segmentation_pb2_grpc.SegmentationServiceServicer,
    inpainting_pb2_grpc.InpaintingServiceServicer,
    generation_pb2_grpc.GenerationServiceServicer,
):
    """Every RPC of the three services."""

    def __init__(self, settings: FixedSettings, executor: BoundedExecutor) -> None:
        self._seconds = settings.seconds
        self._dollars = settings.dollars
        self._largest_side = settings.largest_side
        self._empty = settings.empty
        self._executor = executor

    async def _answer(self, response: Answer) -> Answer:
        await self._executor.run(time.sleep, self._seconds)
        is_empty = self._empty is not None and response.DESCRIPTOR.name == f"{self._empty.read_text()}Response"
        return type(response)() if is_empty else response

    async def CutOut(  # noqa: N802
        self, _request: segmentation_pb2.CutOutRequest, _context: "Context"
    ) -> segmentation_pb2.CutOutResponse:
        return await self._answer(
            segmentation_pb2.CutOutResponse(
                cutout=image_pb2.Image(encoded=CUTOUT), bounds=BOUNDS, score=1, engine=ENGINE
            )
        )

    async def FindObjects(  # noqa: N802
        self, _request: segmentation_pb2.FindObjectsRequest, _context: "Context"
    ) -> segmentation_pb2.FindObjectsResponse:
        return await self._answer(segmentation_pb2.FindObjectsResponse(engine=ENGINE))

    async def Inpaint(  # noqa: N802
        self, request: inpainting_pb2.InpaintRequest, _context: "Context"
    ) -> inpainting_pb2.InpaintResponse:
        return await self._answer(inpainting_pb2.InpaintResponse(picture=request.picture, engine=ENGINE))

    async def RemoveObjects(  # noqa: N802
        self, request: inpainting_pb2.RemoveObjectsRequest, _context: "Context"
    ) -> inpainting_pb2.RemoveObjectsResponse:
        return await self._answer(inpainting_pb2.RemoveObjectsResponse(picture=request.picture, engine=ENGINE))

    async def GenerateBackground(  # noqa: N802
        self, request: generation_pb2.GenerateBackgroundRequest, _context: "Context"
    ) -> generation_pb2.GenerateBackgroundResponse:
        shape, short_side = request.aspect_ratio, min(request.short_side, self._largest_side)
        width, height = (short_side * side // min(shape.width, shape.height) for side in (shape.width, shape.height))
        pixels = image_pb2.RawPixels(
            width=width,
            height=height,
            format=image_pb2.PIXEL_FORMAT_RGB8,
            data=bytes([request.seed % 256]) * (3 * width * height),
        )
        box = image_pb2.Box(left=width // 4, top=height // 4, right=width * 3 // 4, bottom=height * 3 // 4)
        return await self._answer(
            generation_pb2.GenerateBackgroundResponse(
                dollars=self._dollars,
                picture=image_pb2.Image(raw=pixels),
                placement=generation_pb2.Placement(box=box),
                engine=ENGINE,
            )
        )

    async def PlaceProduct(  # noqa: N802
        self, request: generation_pb2.PlaceProductRequest, _context: "Context"
    ) -> generation_pb2.PlaceProductResponse:
        return await self._answer(generation_pb2.PlaceProductResponse(placement=request.placement))

    async def WriteCopy(  # noqa: N802
        self, request: generation_pb2.WriteCopyRequest, _context: "Context"
    ) -> generation_pb2.WriteCopyResponse:
        return await self._answer(
            generation_pb2.WriteCopyResponse(
                short_ad=request.product.name,
                long_ad=f"{request.product.name}: {request.product.description}",
                engine=ENGINE,
            )
        )

    async def EstimateCosts(  # noqa: N802
        self, _request: generation_pb2.EstimateCostsRequest, _context: "Context"
    ) -> generation_pb2.EstimateCostsResponse:
        return generation_pb2.EstimateCostsResponse(
            dollars_per_picture=self._dollars, background_engine="fixed", copy_engine="fixed", prices_read="2026-11-26"
        )

    async def ComposeCreatives(  # noqa: N802
        self, request: generation_pb2.ComposeCreativesRequest, _context: "Context"
    ) -> generation_pb2.ComposeCreativesResponse:
        quality = generation_pb2.Quality(fill=0.5, contrast=50)
        creatives = [
            generation_pb2.Creative(size=size, file=_ad(size.width, size.height), quality=quality)
            for size in request.sizes
        ]
        pictures = [scene for scene in request.scenes if scene.HasField("picture") and request.keep_backgrounds]
        kept = [generation_pb2.KeptScene(file=_ad(320, 320), placement=scene.placement) for scene in pictures]
        return await self._answer(generation_pb2.ComposeCreativesResponse(creatives=creatives, kept_scenes=kept))


@functools.cache
def _ad(width: int, height: int) -> bytes:
    return encoded(texture(width, height), "JPEG", quality=60)


def build(settings: FixedSettings, _: EngineRegistry) -> Register:
    """Return the function that adds the three services to a server."""

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        engines = FixedEngines(settings, executor)
        segmentation_pb2_grpc.add_SegmentationServiceServicer_to_server(engines, server)
        inpainting_pb2_grpc.add_InpaintingServiceServicer_to_server(engines, server)
        generation_pb2_grpc.add_GenerationServiceServicer_to_server(engines, server)

    return register


if __name__ == "__main__":
    serve(FixedSettings, SERVICES, build)
