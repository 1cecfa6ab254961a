"""Reading whole pictures that the history keeps."""

from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.history.v1 import history_pb2


async def read_object(path: str, services: Services, settings: GatewaySettings) -> bytes:
    """Give a stored picture's file.

    Args:
        path: Relative to /static/.
        services: The services.
        settings: The gateway's.

    Raises:
        AioRpcError: There is none, or it could not be read.
    """
    stream = services.history.ReadObject(
        history_pb2.ReadObjectRequest(path=path), timeout=settings.history_deadline_seconds
    )
    return b"".join([part.chunk async for part in stream])
