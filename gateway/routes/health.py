"""Liveness of the gateway, and readiness of everything behind it."""

from fastapi import Response

from gateway.models import ProblemBody, ReadyBody
from gateway.routes.router import Router
from gateway.state import GatewayDependency

router = Router(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Return ok if this process responds; nothing behind it is asked."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": ReadyBody}})
async def readyz(gateway: GatewayDependency, response: Response) -> ReadyBody:
    """Return whether every service is ready; 503, and what an operator can do, if one is not."""
    services = await gateway.clients.readiness()
    ready = all(services.values())
    found = {} if ready else await gateway.clients.engines()
    problems = [ProblemBody.of(name, problem) for name, response in found.items() for problem in response.problems]
    body = ReadyBody(ready=ready, services=services, problems=problems)
    response.status_code = 200 if body.ready else 503
    return body
