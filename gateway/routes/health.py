"""Liveness of the gateway, and readiness of everything behind it."""

from fastapi import APIRouter, Response

from gateway.models import ReadyBody
from gateway.state import GatewayDependency

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Return ok if this process responds; nothing behind it is asked."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": ReadyBody}})
async def readyz(gateway: GatewayDependency, response: Response) -> ReadyBody:
    """Return whether every service is ready; 503 if one is not."""
    services = await gateway.clients.readiness()
    body = ReadyBody(ready=all(services.values()), services=services)
    response.status_code = 200 if body.ready else 503
    return body
