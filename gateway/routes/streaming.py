"""Helpers of routes that pass on a stream of bytes."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Protocol, TypeVar

from fastapi.responses import StreamingResponse

from gateway.errors import ApiError, ResponseCutOffError, calling
from gateway.settings import GatewaySettings
from productimage import ProductImageError


class _Part(Protocol):
    @property
    def chunk(self) -> bytes: ...


Part = TypeVar("Part", bound=_Part)


async def first_of(parts: AsyncIterator[Part], settings: GatewaySettings) -> Part:
    """Wait for the first part of a stream of the history service; the rest may take as long as its reader needs.

    Raises:
        ApiError: It did not arrive.
    """
    try:
        async with calling("history"), asyncio.timeout(settings.history_deadline_seconds):
            return await anext(parts)
    except TimeoutError:
        raise ApiError(504, "The history service took too long: try again.") from None


@asynccontextmanager
async def closed_if_refused(parts: AsyncGenerator[Part, None]) -> AsyncIterator[None]:
    """Close a stream if the request for it is refused in the block."""
    try:
        yield
    except ApiError:
        await parts.aclose()
        raise


async def chunks_of(parts: AsyncIterator[_Part]) -> AsyncIterator[bytes]:
    """Yield the bytes of the parts of a stream."""
    async for part in parts:
        yield part.chunk


def streamed(
    parts: AsyncGenerator[Part, None], headers: Mapping[str, str], media_type: str, part: tuple[int, int] | None = None
) -> StreamingResponse:
    """Return a response of the bytes of a stream. Should the stream fail halfway, the response ends unfinished.

    Args:
        parts: The stream.
        headers: Headers of the response.
        media_type: Its media type.
        part: First byte to send, and the one after the last. None: all of them.
    """
    chunks = _unless_cut_off(parts, part or (0, sys.maxsize))
    return StreamingResponse(chunks, 206 if part else 200, headers=headers, media_type=media_type)


async def _unless_cut_off(parts: AsyncGenerator[Part, None], part: tuple[int, int]) -> AsyncIterator[bytes]:
    start, end = part
    position = 0
    async with aclosing(parts):
        try:
            async for chunk in chunks_of(parts):
                wanted = chunk[max(0, start - position) : end - position]
                position += len(chunk)
                if wanted:
                    yield wanted
                if position >= end:
                    return
        except ProductImageError as error:
            raise ResponseCutOffError(error.code.name) from error
