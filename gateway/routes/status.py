"""What the system runs on."""

import asyncio

from common.version import VERSION
from gateway.models import EngineBody, StatusBody
from gateway.routes.router import Router
from gateway.state import GatewayDependency

router = Router(prefix="/api", tags=["health"])


@router.get("/status", response_model_exclude_none=True)
async def status(gateway: GatewayDependency) -> StatusBody:
    """Return which services are ready, and the engine of each capability: why it was selected, what would be better.

    Engines of a service that does not respond are left out.
    """
    ready, found = await asyncio.gather(gateway.clients.readiness(), gateway.clients.engines())
    engines = [EngineBody.of(engine) for response in found.values() for engine in response.engines]
    free = next((one.free_bytes for one in found.values() if one.HasField("free_bytes")), None)
    return StatusBody(version=VERSION, services=ready, engines=engines, free_bytes=free)
