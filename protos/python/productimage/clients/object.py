"""Client of the object service, served by the history process."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.object.v1 import object_pb2
from productimage.object.v1.object_pb2_grpc import ObjectServiceStub

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.object.v1.object_pb2_grpc import ObjectServiceAsyncStub


@dataclass(frozen=True)
class ObjectDeadlines:
    """Deadlines in seconds: of one call, and of a whole stream."""

    call: float = 30
    stream: float = 600


class ObjectClient:
    """Reads stored photos, cutouts and creatives.

    Args:
        connection: Connection to the history process.
        deadlines: Deadlines of calls and streams.
    """

    def __init__(self, connection: Connection, deadlines: ObjectDeadlines | None = None) -> None:
        self._connection = connection
        self._stub: ObjectServiceAsyncStub = ObjectServiceStub(connection.channel)
        self._deadlines = deadlines or ObjectDeadlines()

    def stream_object(self, path: str, if_none_match: str = "") -> AsyncGenerator[object_pb2.ReadObjectResponse, None]:
        """Stream a picture: its ObjectInfo first, then its bytes in chunks.

        Args:
            path: Path relative to static/.
            if_none_match: Entity tag of the copy the caller has. If it is current, no chunk follows.

        Raises:
            NotFoundError: There is no such picture.
            ProductImageError: The call failed otherwise, at once or in the middle of the stream.
        """
        request = object_pb2.ReadObjectRequest(path=path, if_none_match=if_none_match)
        return self._connection.stream(self._stub.ReadObject, request, self._deadlines.stream)

    async def read_object(self, path: str) -> bytes:
        """Return a whole picture.

        Args:
            path: Path relative to static/.

        Raises:
            NotFoundError: There is no such picture.
            ProductImageError: The call failed otherwise.
        """
        request = object_pb2.ReadObjectRequest(path=path)
        parts = self._connection.stream(self._stub.ReadObject, request, self._deadlines.call)
        return b"".join([part.chunk async for part in parts])

    async def sign_object(self, path: str) -> object_pb2.SignObjectResponse:
        """Return a URL from which a picture can be read for a limited time.

        Args:
            path: Path relative to static/.

        Raises:
            NotFoundError: There is no such picture.
            ProductImageError: The call failed otherwise.
        """
        request = object_pb2.SignObjectRequest(path=path)
        return await self._connection.unary(self._stub.SignObject, request, self._deadlines.call)
