"""Clients of the services behind the gateway."""

import asyncio
from dataclasses import dataclass

from common.observability.tracing import trace_headers
from common.tls import client_tls
from gateway.settings import GatewaySettings
from productimage import (
    BrandClient,
    Connection,
    EngineClient,
    GenerationClient,
    HealthClient,
    InpaintingClient,
    ObjectClient,
    Options,
    ProductImageError,
    RecordClient,
    SegmentationClient,
    UploadClient,
    connect,
)
from productimage.clients.generation import GenerationDeadlines
from productimage.clients.health import READY
from productimage.clients.inpainting import InpaintingDeadlines
from productimage.clients.object import ObjectDeadlines
from productimage.clients.record import RecordDeadlines
from productimage.clients.segmentation import SegmentationDeadlines
from productimage.engine.v1 import engine_pb2


@dataclass(frozen=True)
class Clients:
    """One client per service.

    Attributes:
        segmentation: Cuts out products and finds objects.
        inpainting: Removes objects.
        generation: Makes backgrounds, copy and creatives.
        uploads: Stores photos and cutouts.
        records: Stores generations and lists their records.
        objects: Reads stored pictures.
        brands: Stores brand kits.
        connections: Connection to each process, by name.
        ready_deadline: Deadline of a health check, in seconds.
    """

    segmentation: SegmentationClient
    inpainting: InpaintingClient
    generation: GenerationClient
    uploads: UploadClient
    records: RecordClient
    objects: ObjectClient
    brands: BrandClient
    connections: dict[str, Connection]
    ready_deadline: float

    async def readiness(self) -> dict[str, bool]:
        """Return whether each process is ready."""
        checks = (HealthClient(connection, self.ready_deadline) for connection in self.connections.values())
        answers = await asyncio.gather(*(check.is_serving(READY) for check in checks))
        return dict(zip(self.connections, answers, strict=True))

    async def engines(self) -> dict[str, engine_pb2.ListEnginesResponse]:
        """Return the engines and the problems of each process; one that does not respond is left out."""
        listed = await asyncio.gather(*(self._engines_of(name) for name in self.connections))
        return {name: found for name, found in zip(self.connections, listed, strict=True) if found is not None}

    async def _engines_of(self, process: str) -> engine_pb2.ListEnginesResponse | None:
        try:
            return await EngineClient(self.connections[process], self.ready_deadline).list_engines()
        except ProductImageError:  # it is down, or of an earlier version
            return None

    async def close(self) -> None:
        """Close every connection."""
        for connection in self.connections.values():
            await connection.close()


def open_clients(settings: GatewaySettings) -> Clients:
    """Open the clients; they connect on first use."""
    options = Options(
        tls=client_tls(settings),
        max_message_bytes=settings.max_message_bytes,
        keepalive_seconds=settings.keepalive_seconds,
        attempts=settings.retry_attempts,
        metadata=trace_headers,
    )
    targets = {
        "segmentation": settings.segmentation_target,
        "inpainting": settings.inpainting_target,
        "generation": settings.generation_target,
        "history": settings.history_target,
    }
    connections = {name: connect(target, options) for name, target in targets.items()}
    history = connections["history"]
    call, download = settings.history_deadline_seconds, settings.download_deadline_seconds
    return Clients(
        segmentation=SegmentationClient(
            connections["segmentation"],
            SegmentationDeadlines(settings.cut_out_deadline_seconds, settings.object_finding_deadline_seconds),
        ),
        inpainting=InpaintingClient(
            connections["inpainting"], InpaintingDeadlines(remove_objects=settings.inpainting_deadline_seconds)
        ),
        generation=GenerationClient(
            connections["generation"],
            GenerationDeadlines(
                generate_background=settings.background_deadline_seconds,
                place_product=settings.object_finding_deadline_seconds,
                write_copy=settings.copy_deadline_seconds,
                compose_creatives=settings.composition_deadline_seconds,
            ),
        ),
        uploads=UploadClient(history, call),
        records=RecordClient(history, RecordDeadlines(call, download)),
        objects=ObjectClient(history, ObjectDeadlines(call, download)),
        brands=BrandClient(history, call),
        connections=connections,
        ready_deadline=settings.ready_deadline_seconds,
    )
