"""Client of the segmentation service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceStub

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceAsyncStub


@dataclass(frozen=True)
class SegmentationDeadlines:
    """Deadline of each method, in seconds."""

    cut_out: float = 120
    find_objects: float = 90


class SegmentationClient:
    """Cuts out products and finds objects.

    Args:
        connection: Connection to the service.
        deadlines: Deadline of each method.
    """

    def __init__(self, connection: Connection, deadlines: SegmentationDeadlines | None = None) -> None:
        self._connection = connection
        self._stub: SegmentationServiceAsyncStub = SegmentationServiceStub(connection.channel)
        self._deadlines = deadlines or SegmentationDeadlines()

    async def cut_out(
        self,
        photo: bytes,
        *,
        points: Sequence[segmentation_pb2.PromptPoint] = (),
        box: image_pb2.Box | None = None,
        base_mask: image_pb2.Image | None = None,
        strokes: Sequence[segmentation_pb2.Stroke] = (),
        encoding: "image_pb2.ImageEncoding.ValueType" = image_pb2.IMAGE_ENCODING_PNG,
    ) -> segmentation_pb2.CutOutResponse:
        """Cut the product out of a photo.

        Args:
            photo: A PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF file.
            points: Point prompts on or off the product, in photo pixels.
            box: Box prompt around the product, in photo pixels.
            base_mask: What is cut out already: prompts and strokes add to it and take away from it.
            strokes: Strokes of a brush.
            encoding: Encoding of the cutout.

        Raises:
            NothingFoundError: No product stands out from the background.
            NothingLeftError: Nothing would be left of the product.
            InvalidArgumentError: The photo cannot be read, or a prompt lies outside it.
            ProductImageError: The call failed otherwise.
        """
        request = segmentation_pb2.CutOutRequest(
            photo=image_pb2.Image(encoded=photo),
            points=points,
            box=box,
            base_mask=base_mask,
            strokes=strokes,
            encoding=encoding,
        )
        return await self._connection.unary(self._stub.CutOut, request, self._deadlines.cut_out)

    async def find_objects(
        self,
        picture: image_pb2.Image,
        *,
        labels: Sequence[str] = (),
        min_score: float = 0,
        at: image_pb2.Point | None = None,
        max_objects: int = 0,
        everywhere: bool = False,
    ) -> segmentation_pb2.FindObjectsResponse:
        """Find objects in a picture; see FindObjectsRequest for the arguments.

        Raises:
            InvalidArgumentError: The picture cannot be read, or an argument is out of range.
            ProductImageError: The call failed otherwise.
        """
        request = segmentation_pb2.FindObjectsRequest(
            picture=picture,
            labels=labels,
            min_score=min_score,
            at=at,
            max_objects=max_objects,
            everywhere=everywhere,
        )
        return await self._connection.unary(self._stub.FindObjects, request, self._deadlines.find_objects)
