"""Client of the inpainting service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceStub

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceAsyncStub


@dataclass(frozen=True)
class InpaintingDeadlines:
    """Deadline of each method, in seconds."""

    inpaint: float = 90
    remove_objects: float = 90


class InpaintingClient:
    """Fills masked regions and removes objects.

    Args:
        connection: Connection to the service.
        deadlines: Deadline of each method.
    """

    def __init__(self, connection: Connection, deadlines: InpaintingDeadlines | None = None) -> None:
        self._connection = connection
        self._stub: InpaintingServiceAsyncStub = InpaintingServiceStub(connection.channel)
        self._deadlines = deadlines or InpaintingDeadlines()

    async def inpaint(self, picture: image_pb2.Image, mask: image_pb2.Image) -> inpainting_pb2.InpaintResponse:
        """Fill the masked region of a picture.

        Args:
            picture: Picture to fill.
            mask: GRAY8 of the size of the picture; 128 and above marks pixels to fill.

        Raises:
            NothingKnownError: The mask covers the whole picture.
            InvalidArgumentError: The picture or the mask cannot be read, or their sizes differ.
            ProductImageError: The call failed otherwise.
        """
        request = inpainting_pb2.InpaintRequest(picture=picture, mask=mask)
        return await self._connection.unary(self._stub.Inpaint, request, self._deadlines.inpaint)

    async def remove_objects(
        self, picture: image_pb2.Image, objects: Sequence[image_pb2.Region], *, keep_picture: bool = False
    ) -> inpainting_pb2.RemoveObjectsResponse:
        """Remove objects from a picture, with their shadows and a fringe around them.

        Args:
            picture: Picture to remove objects from.
            objects: Objects to remove.
            keep_picture: Whether the picture, as it was, is returned as a lossless file, too.

        Raises:
            NothingKnownError: The objects cover the whole picture.
            InvalidArgumentError: The picture cannot be read, or a region lies outside it.
            ProductImageError: The call failed otherwise.
        """
        request = inpainting_pb2.RemoveObjectsRequest(picture=picture, objects=objects, keep_picture=keep_picture)
        return await self._connection.unary(self._stub.RemoveObjects, request, self._deadlines.remove_objects)
