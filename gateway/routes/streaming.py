"""Helpers of routes that pass on a stream of bytes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse

from gateway.errors import ApiError, ResponseCutOffError, calling
from gateway.settings import GatewaySettings
from productimage import ProductImageError


class _Part(Protocol):
    @property
    def chunk(self) -> bytes: ...


Part = TypeVar("Part", bound=_Part)


def etag_of_copy(request: Request) -> str:
    """Return the entity tag of the caller's copy; empty if it has none."""
    return request.headers.get("if-none-match", "").removeprefix("W/").strip('"')


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


async def chunks_of(parts: AsyncIterator[_Part]) -> AsyncIterator[bytes]:
    """Yield the bytes of the parts of a stream."""
    async for part in parts:
        yield part.chunk


def streamed(parts: AsyncIterator[_Part], headers: Mapping[str, str], media_type: str) -> StreamingResponse:
    """Return a response of the bytes of a stream. Should the stream fail halfway, the response ends unfinished."""
    return StreamingResponse(_unless_cut_off(parts), headers=headers, media_type=media_type)


async def _unless_cut_off(parts: AsyncIterator[_Part]) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks_of(parts):
            yield chunk
    except ProductImageError as error:
        raise ResponseCutOffError(error.code.name) from error
