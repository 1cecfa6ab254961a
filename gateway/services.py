"""The services behind the gateway: one channel and one stub each."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.settings import GatewaySettings
from productimage.generation.v1.generation_pb2_grpc import GenerationServiceStub
from productimage.history.v1.history_pb2_grpc import HistoryServiceStub
from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceStub
from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceStub
from services.runtime.channel import open_channel

if TYPE_CHECKING:  # these names exist for the type checker only
    from productimage.generation.v1.generation_pb2_grpc import GenerationServiceAsyncStub
    from productimage.history.v1.history_pb2_grpc import HistoryServiceAsyncStub
    from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceAsyncStub
    from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceAsyncStub


@dataclass(frozen=True)
class Services:
    """The stubs, and the channels they use by the capability each gives."""

    segmentation: "SegmentationServiceAsyncStub"
    inpainting: "InpaintingServiceAsyncStub"
    generation: "GenerationServiceAsyncStub"
    history: "HistoryServiceAsyncStub"
    channels: dict[str, grpc.aio.Channel]

    async def readiness(self, deadline: float) -> dict[str, bool]:
        """Ask every service whether it is ready."""
        answers = await asyncio.gather(*(_is_ready(channel, deadline) for channel in self.channels.values()))
        return dict(zip(self.channels, answers, strict=True))

    async def close(self) -> None:
        """Close the channels."""
        for channel in self.channels.values():
            await channel.close()


def connect(settings: GatewaySettings) -> Services:
    """Open the channels; they connect when they are first used."""
    targets = {
        "segmentation": settings.segmentation_target,
        "inpainting": settings.inpainting_target,
        "generation": settings.generation_target,
        "history": settings.history_target,
    }
    channels = {name: open_channel(target, settings) for name, target in targets.items()}
    return Services(
        segmentation=SegmentationServiceStub(channels["segmentation"]),
        inpainting=InpaintingServiceStub(channels["inpainting"]),
        generation=GenerationServiceStub(channels["generation"]),
        history=HistoryServiceStub(channels["history"]),
        channels=channels,
    )


async def _is_ready(channel: grpc.aio.Channel, deadline: float) -> bool:
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=deadline)  # type: ignore[attr-defined]
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
