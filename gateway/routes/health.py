"""Whether the gateway lives, and whether everything behind it is ready."""

from fastapi import APIRouter, Response

from gateway.dependencies import GatewayDependency
from gateway.models import ReadyBody

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that this process answers; nothing behind it is asked."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": ReadyBody}})
async def readyz(gateway: GatewayDependency, response: Response) -> ReadyBody:
    """Tell whether every service is ready; 503 when one is not."""
    services = await gateway.services.readiness(gateway.settings.ready_deadline_seconds)
    body = ReadyBody(ready=all(services.values()), services=services)
    response.status_code = 200 if body.ready else 503
    return body
