"""Asks the service of this machine or container whether it serves: `python -m services.runtime.healthcheck HISTORY`.

It reads that service's settings: the port, and the files for TLS, which it shows as any caller does. The certificate
must be good for localhost.
"""

import asyncio
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.runtime.channel import open_channel
from services.runtime.settings import ChannelSettings, ServiceSettings

DEADLINE_SECONDS = 3


async def is_serving(settings: ServiceSettings) -> bool:
    """Ask the service of these settings."""
    files = ChannelSettings(tls_ca=settings.tls_ca, tls_certificate=settings.tls_certificate, tls_key=settings.tls_key)
    async with open_channel(f"localhost:{settings.port}", files) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest()
        try:
            answer = await stub.Check(request, timeout=DEADLINE_SECONDS)  # type: ignore[attr-defined]
        except grpc.aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m services.runtime.healthcheck SEGMENTATION | INPAINTING | GENERATION | HISTORY")
    settings_of = ServiceSettings(_env_prefix=f"{sys.argv[1].upper()}_")
    sys.exit(0 if asyncio.run(is_serving(settings_of)) else 1)
