"""Work that is done once for a caller's key: the same request again gives the first result, and runs nothing."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from gateway.errors import ApiError
from gateway.pipelines.stage import stage
from gateway.services import Services
from gateway.settings import GatewaySettings
from productimage.history.v1 import history_pb2
from services.runtime.work import no_deadline

log = structlog.get_logger()


@dataclass(frozen=True)
class Claim:
    """A request that is to be worked on, or what it made before.

    Attributes:
        request_id: Names the request to the history.
        record: Made before, by a generation.
        upload: Made before, by an upload.
    """

    request_id: str
    record: history_pb2.Record | None = None
    upload: history_pb2.Upload | None = None


def fingerprint(*parts: str | bytes) -> str:
    """Give a digest of all that a request asks for; where a part ends counts."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


@asynccontextmanager
async def claimed(key: str, asked: str, services: Services, settings: GatewaySettings) -> AsyncIterator[Claim]:
    """Claim a request by its key; without one every request is another. What fails inside may be sent again at once.

    Args:
        key: The caller's; empty: none.
        asked: The fingerprint of the request.
        services: The services.
        settings: The gateway's.

    Raises:
        ApiError: The key was used for something else (422), or its request is being worked on (409).
    """
    if not key:
        yield Claim(uuid.uuid4().hex)
        return
    # Records show their request_id to everybody; a key is its caller's own.
    request_id = f"key-{fingerprint(key)}"
    async with stage("history"):
        begun = await services.history.BeginRequest(
            history_pb2.BeginRequestRequest(request_id=request_id, fingerprint=asked),
            timeout=settings.history_deadline_seconds,
        )
    if begun.WhichOneof("made"):
        yield Claim(
            request_id,
            record=begun.record if begun.HasField("record") else None,
            upload=begun.upload if begun.HasField("upload") else None,
        )
        return
    try:
        yield Claim(request_id)
    except BaseException:
        await _abandon(request_id, services, settings)
        raise


async def _abandon(request_id: str, services: Services, settings: GatewaySettings) -> None:
    try:
        with no_deadline():
            async with stage("history"):
                await services.history.AbandonRequest(
                    history_pb2.AbandonRequestRequest(request_id=request_id), timeout=settings.history_deadline_seconds
                )
    except ApiError:
        log.warning("request left to its lease", request=request_id)
