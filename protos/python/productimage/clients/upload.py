"""Client of the upload service, served by the history process."""

from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.upload.v1 import upload_pb2
from productimage.upload.v1.upload_pb2_grpc import UploadServiceStub

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.upload.v1.upload_pb2_grpc import UploadServiceAsyncStub

DEADLINE = 30.0
"""Default deadline of every method, in seconds."""


class UploadClient:
    """Stores product photos and their cutouts.

    Args:
        connection: Connection to the history process.
        deadline: Deadline of every method, in seconds.
    """

    def __init__(self, connection: Connection, deadline: float = DEADLINE) -> None:
        self._connection = connection
        self._stub: UploadServiceAsyncStub = UploadServiceStub(connection.channel)
        self._deadline = deadline

    async def create_upload(self, request_id: str, filename: str, photo: bytes) -> upload_pb2.Upload:
        """Store a product photo.

        Args:
            request_id: Idempotency key, 1 to 200 characters.
            filename: File name as the user gave it.
            photo: A PNG, JPEG, WebP, HEIC, AVIF, TIFF, BMP or GIF file.

        Raises:
            RequestIdReusedError: The request_id was used for another photo.
            InvalidArgumentError: The photo is missing or is not a picture.
            ProductImageError: The call failed otherwise.
        """
        request = upload_pb2.CreateUploadRequest(request_id=request_id, filename=filename, photo=photo)
        response = await self._connection.unary(self._stub.CreateUpload, request, self._deadline)
        return response.upload

    async def put_cutout(self, request: upload_pb2.PutCutoutRequest) -> upload_pb2.Upload:
        """Store the cutout of an upload, replacing an earlier one.

        Raises:
            UnknownUploadError: There is no such upload.
            ProductImageError: The call failed otherwise.
        """
        response = await self._connection.unary(self._stub.PutCutout, request, self._deadline)
        return response.upload

    async def revert_cutout(self, upload: upload_pb2.Upload, *, to_later: bool = False) -> upload_pb2.Upload:
        """Return to an earlier cutout of an upload, or again to a later one.

        Args:
            upload: The upload, as it was returned last: if it has another cutout now, nothing changes.
            to_later: Return to the next later one.

        Raises:
            UnknownUploadError: There is no such upload.
            NoSuchCutoutError: There is none in that direction.
            ProductImageError: The call failed otherwise.
        """
        request = upload_pb2.RevertCutoutRequest(
            timestamp=upload.timestamp, cutout_path=upload.cutout_path, to_later=to_later
        )
        response = await self._connection.unary(self._stub.RevertCutout, request, self._deadline)
        return response.upload

    async def get_upload(self, timestamp: str, *, without_cutout: bool = False) -> upload_pb2.GetUploadResponse:
        """Return an upload with its cutout.

        Args:
            timestamp: Timestamp of the upload.
            without_cutout: Whether an upload that has no cutout is returned, too.

        Raises:
            UnknownUploadError: There is no such upload.
            NoCutoutError: The upload has no cutout.
            ProductImageError: The call failed otherwise.
        """
        request = upload_pb2.GetUploadRequest(timestamp=timestamp, without_cutout=without_cutout)
        return await self._connection.unary(self._stub.GetUpload, request, self._deadline)

    async def discard_upload(self, timestamp: str) -> bool:
        """Remove an upload that has no result; return whether it was removed.

        Raises:
            ProductImageError: The call failed.
        """
        request = upload_pb2.DiscardUploadRequest(timestamp=timestamp)
        response = await self._connection.unary(self._stub.DiscardUpload, request, self._deadline)
        return response.discarded

    async def delete_upload(self, timestamp: str) -> None:
        """Delete an upload with its photo, its cutout, and every record and creative that was made from it.

        Raises:
            UnknownUploadError: There is no such upload.
            BeingSavedError: A generation of it is being saved; nothing was deleted.
            ProductImageError: The call failed otherwise.
        """
        request = upload_pb2.DeleteUploadRequest(timestamp=timestamp)
        await self._connection.unary(self._stub.DeleteUpload, request, self._deadline)
