"""Idempotency: repeating a request with its key returns the original result and runs nothing."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from gateway.errors import calling
from productimage import ProductImageError, RecordClient
from productimage.context import no_deadline
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

log = structlog.get_logger()


@dataclass(frozen=True)
class IdempotentRequest:
    """A request to work on, or its original result.

    Attributes:
        request_id: Idempotency key towards the history.
        result: Original result. None: do the work.
    """

    request_id: str
    result: record_pb2.Record | upload_pb2.Upload | None = None


def fingerprint(*parts: str | bytes) -> str:
    """Return a digest of everything a request asks for; the boundaries of its parts count."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


@asynccontextmanager
async def idempotent(owner: str, key: str, digest: str, records: RecordClient) -> AsyncIterator[IdempotentRequest]:
    """Claim a request by its key. If the block fails, the request may be repeated at once.

    Args:
        owner: Owner of the API key; empty if keys are not required. Everyone has keys of their own.
        key: Key of the caller; empty: none, and every request is new.
        digest: Fingerprint of the request.
        records: Client of the record service.

    Raises:
        ApiError: The key was used for another request (422), or its request is in progress (409).
    """
    if not key:
        yield IdempotentRequest(uuid.uuid4().hex)
        return
    # Records show their request_id to everyone; a key belongs to its caller.
    request_id = f"key-{fingerprint(*filter(None, (owner, key)))}"
    async with calling("history"):
        begun = await records.begin_request(request_id, digest, renewed=True)
    if begun.result is not None:
        yield IdempotentRequest(request_id, begun.result)
        return
    renewing = asyncio.create_task(_renew(request_id, begun.renew_seconds, records))
    try:
        yield IdempotentRequest(request_id)
    except BaseException:
        await _abandon(request_id, records)
        raise
    finally:
        renewing.cancel()


async def _renew(request_id: str, seconds: float, records: RecordClient) -> None:
    """Renew a claim while it is worked on, so that it ends soon after this process does."""
    while seconds:
        await asyncio.sleep(seconds)
        try:
            with no_deadline():
                await records.renew_request(request_id)
        except ProductImageError as error:
            log.warning("request not renewed", request=request_id, code=error.code.name)


async def _abandon(request_id: str, records: RecordClient) -> None:
    try:
        with no_deadline():
            await records.abandon_request(request_id)
    except ProductImageError as error:
        log.warning("request not released; its lease will expire", request=request_id, code=error.code.name)
