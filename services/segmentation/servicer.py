"""Segmentation servicer: delegates each call to the domain, in the executor."""

from typing import TYPE_CHECKING, Any

import grpc

from common.imaging.codec import rgb
from common.imaging.messages import to_pixels
from common.serving.engines import observe_engine
from common.serving.executor import BoundedExecutor
from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from services.segmentation import converters
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.detection.detection import find_everything, find_objects
from services.segmentation.engines.base import Engines
from services.segmentation.settings import SegmentationSettings

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class SegmentationServicer(segmentation_pb2_grpc.SegmentationServiceServicer):
    """See segmentation.proto."""

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
        photo = to_pixels(request.photo, self._settings)
        hand = converters.hand(request, photo.shape[:2], self._settings)
        with observe_engine("cut_out", self._engines.segmenter.name):
            cutout = cut_out(photo, hand, self._engines, self._settings.working_size)
        return converters.cut_out_response(cutout, request.encoding)

    async def FindObjects(  # noqa: N802
        self, request: segmentation_pb2.FindObjectsRequest, _context: "Context"
    ) -> segmentation_pb2.FindObjectsResponse:
        """See segmentation.proto."""
        return await self._executor.run(self._find_objects, request)

    def _find_objects(self, request: segmentation_pb2.FindObjectsRequest) -> segmentation_pb2.FindObjectsResponse:
        picture, query = rgb(to_pixels(request.picture, self._settings)), converters.detection_query(request)
        engine = (self._engines.detector or self._engines.segmenter).name
        with observe_engine("object_finding", engine):
            if request.everywhere:
                scene = find_everything(picture, query, self._engines)
                return converters.find_objects_response(scene.things, scene.surfaces, engine)
            objects = find_objects(picture, query, converters.place(request), self._engines)
        return converters.find_objects_response(objects, [], engine)
