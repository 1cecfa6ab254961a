"""What the system runs on."""

from fastapi import APIRouter

from common.version import VERSION
from gateway.models import EngineBody, StatusBody
from gateway.state import GatewayDependency

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/status")
async def status(gateway: GatewayDependency) -> StatusBody:
    """Return which services are ready, and the engine of each capability: why it was selected, what would be better.

    Engines of a service that does not respond are left out.
    """
    ready = await gateway.clients.readiness()
    engines = await gateway.clients.engines([name for name, is_ready in ready.items() if is_ready])
    return StatusBody(version=VERSION, services=ready, engines=[EngineBody.of(engine) for engine in engines])
