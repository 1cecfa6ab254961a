"""`python -m common.serving.healthcheck HISTORY`: whether the service on this machine or in this container serves.

Reads the settings of that service: its port, and its TLS files, which it presents like any caller. The certificate must
be valid for localhost.
"""

import asyncio
import sys

from common.settings import ServiceSettings
from common.tls import client_tls
from productimage import HealthClient, Options, connect

DEADLINE_SECONDS = 3


async def is_serving(settings: ServiceSettings) -> bool:
    """Return whether the service with these settings serves."""
    async with connect(f"localhost:{settings.port}", Options(tls=client_tls(settings))) as connection:
        return await HealthClient(connection, DEADLINE_SECONDS).is_serving()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m common.serving.healthcheck SEGMENTATION | INPAINTING | GENERATION | HISTORY")
    settings_of = ServiceSettings(_env_prefix=f"{sys.argv[1].upper()}_")
    sys.exit(0 if asyncio.run(is_serving(settings_of)) else 1)
