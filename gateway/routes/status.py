"""What the system runs on."""

import asyncio

import grpc
from fastapi import APIRouter

from gateway.dependencies import GatewayDependency
from gateway.models import EngineBody, StatusBody
from productimage.engine.v1 import engine_pb2, engine_pb2_grpc
from services.runtime.version import VERSION

router = APIRouter(prefix="/api", tags=["health"])


@router.get("/status")
async def status(gateway: GatewayDependency) -> StatusBody:
    """Tell which services are ready, and which engine does what, why, and what would give a better one.

    The engines of a service that does not answer are left out.
    """
    deadline, channels = gateway.settings.ready_deadline_seconds, gateway.services.channels
    ready = await gateway.services.readiness(deadline)
    up = [channel for name, channel in channels.items() if ready[name]]
    engines = await asyncio.gather(*(_engines(channel, deadline) for channel in up))
    return StatusBody(version=VERSION, services=ready, engines=[engine for some in engines for engine in some])


async def _engines(channel: grpc.aio.Channel, deadline: float) -> list[EngineBody]:
    stub = engine_pb2_grpc.EngineServiceStub(channel)
    try:
        answer = await stub.ListEngines(engine_pb2.ListEnginesRequest(), timeout=deadline)
    except grpc.aio.AioRpcError:  # it went away a moment ago, or is of a version before
        return []
    return [EngineBody.of(engine) for engine in answer.engines]
