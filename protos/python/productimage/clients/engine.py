"""Client of the engine service, served by every process."""

from typing import TYPE_CHECKING

from productimage.connection import Connection
from productimage.engine.v1 import engine_pb2
from productimage.engine.v1.engine_pb2_grpc import EngineServiceStub

if TYPE_CHECKING:  # exists for type checkers only
    from productimage.engine.v1.engine_pb2_grpc import EngineServiceAsyncStub

DEADLINE = 2.0
"""Default deadline, in seconds."""


class EngineClient:
    """Lists the engines of a process.

    Args:
        connection: Connection to any service.
        deadline: Deadline of a call, in seconds.
    """

    def __init__(self, connection: Connection, deadline: float = DEADLINE) -> None:
        self._connection = connection
        self._stub: EngineServiceAsyncStub = EngineServiceStub(connection.channel)
        self._deadline = deadline

    async def list_engines(self) -> engine_pb2.ListEnginesResponse:
        """Return the engines that were selected when the process started, and what keeps it from serving now.

        Raises:
            ProductImageError: The call failed.
        """
        request = engine_pb2.ListEnginesRequest()
        return await self._connection.unary(self._stub.ListEngines, request, self._deadline)
