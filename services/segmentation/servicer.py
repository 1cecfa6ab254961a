"""Converts between messages and the domain, and runs the domain in the executor."""

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np

from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from services.runtime.engines import at_work
from services.runtime.errors import InvalidInputError
from services.runtime.executor import BoundedExecutor
from services.runtime.image import rgb, to_message, to_pixels
from services.segmentation.cutout import cut_out
from services.segmentation.engine import Box, Engines, Prompt, PromptPoint
from services.segmentation.objects import find_objects, wanted_objects
from services.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

MOST_POINTS = 64


class SegmentationServicer(segmentation_pb2_grpc.SegmentationServiceServicer):
    """The service; see segmentation.proto."""

    def __init__(self, engines: Engines, settings: SegmentationSettings, executor: BoundedExecutor) -> None:
        self._engines = engines
        self._settings = settings
        self._executor = executor

    async def CutOut(  # noqa: N802
        self, request: segmentation_pb2.CutOutRequest, _context: "Context"
    ) -> segmentation_pb2.CutOutResponse:
        """See segmentation.proto."""
        return await self._executor.run(self._cut_out, request)

    def _cut_out(self, request: segmentation_pb2.CutOutRequest) -> segmentation_pb2.CutOutResponse:
        photo, prompt = to_pixels(request.photo, self._settings), _prompt(request)
        with at_work("cut_out", self._engines.segmenter.name):
            result = cut_out(photo, prompt, self._engines, self._settings.working_size)
        return segmentation_pb2.CutOutResponse(
            cutout=to_message(result.pixels, png=request.encoding == image_pb2.IMAGE_ENCODING_PNG),
            bounds=_box_message(result.bounds),
            score=result.score,
            engine=result.engine,
        )

    async def FindObjects(  # noqa: N802
        self, request: segmentation_pb2.FindObjectsRequest, _context: "Context"
    ) -> segmentation_pb2.FindObjectsResponse:
        """See segmentation.proto."""
        return await self._executor.run(self._find_objects, request)

    def _find_objects(self, request: segmentation_pb2.FindObjectsRequest) -> segmentation_pb2.FindObjectsResponse:
        picture = rgb(to_pixels(request.picture, self._settings))
        at = PromptPoint(request.at.x, request.at.y, on_object=True) if request.HasField("at") else None
        wanted = wanted_objects(request.labels, request.min_score, request.max_objects)
        engine = (self._engines.detector or self._engines.segmenter).name
        with at_work("object_finding", engine):
            objects = find_objects(picture, wanted, at, self._engines)
        return segmentation_pb2.FindObjectsResponse(
            objects=[
                segmentation_pb2.FoundObject(
                    label=found.label,
                    score=found.score,
                    box=_box_message(found.box),
                    mask=to_message(found.mask.astype(np.uint8) * 255),
                )
                for found in objects
            ],
            engine=engine,
        )


def _prompt(request: segmentation_pb2.CutOutRequest) -> Prompt | None:
    if len(request.points) > MOST_POINTS:
        raise InvalidInputError(f"At most {MOST_POINTS} points are taken.", "TOO_MANY_POINTS")
    points = tuple(PromptPoint(point.at.x, point.at.y, point.on_product) for point in request.points)
    box = None
    if request.HasField("box"):
        box = Box(request.box.left, request.box.top, request.box.right, request.box.bottom)
    return Prompt(points, box) if points or box else None


def _box_message(box: Box) -> image_pb2.Box:
    return image_pb2.Box(left=box.left, top=box.top, right=box.right, bottom=box.bottom)
