"""Client of gRPC's standard health service, served by every process."""

from grpc_health.v1 import health_pb2, health_pb2_grpc

from productimage.connection import Connection
from productimage.errors import NotFoundError, ProductImageError

DEADLINE = 2.0
"""Default deadline, in seconds."""
READY = "productimage.ready"
"""Service name under which a process reports whether everything that it depends on is in order."""


class HealthClient:
    """Asks whether a process is ready to serve.

    Args:
        connection: Connection to any service.
        deadline: Deadline of a call, in seconds.
    """

    def __init__(self, connection: Connection, deadline: float = DEADLINE) -> None:
        self._connection = connection
        self._stub = health_pb2_grpc.HealthStub(connection.channel)
        self._deadline = deadline

    async def is_serving(self, service: str = "") -> bool:
        """Return whether the process serves; False if it cannot be reached in time.

        Args:
            service: Empty: whether it takes calls. READY: whether everything that it depends on is in order as well.
        """
        check = self._stub.Check  # type: ignore[attr-defined]  # the package's stubs lack it
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            response = await self._connection.unary(check, request, self._deadline)
        except NotFoundError:  # a version before 0.2.0
            return bool(service) and await self.is_serving()
        except ProductImageError:
            return False
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
