"""What routes share that pass a stream of bytes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from fastapi import Request

from gateway.errors import ApiError, calling
from gateway.settings import GatewaySettings


class _Part(Protocol):
    @property
    def chunk(self) -> bytes: ...


Part = TypeVar("Part", bound=_Part)


def known_etag(request: Request) -> str:
    """Give the entity tag of the copy that the caller has; empty when there is none."""
    return request.headers.get("if-none-match", "").removeprefix("W/").strip('"')


async def first_of(parts: AsyncIterator[Part], settings: GatewaySettings) -> Part:
    """Wait for the first part of a stream of the history service; the rest may take as long as its reader needs.

    Raises:
        ApiError: It did not come.
    """
    try:
        async with calling("history"), asyncio.timeout(settings.history_deadline_seconds):
            return await anext(parts)
    except TimeoutError:
        raise ApiError(504, "The history service took too long: try again.") from None


async def chunks_of(parts: AsyncIterator[_Part]) -> AsyncIterator[bytes]:
    """Give the bytes of the parts of a stream."""
    async for part in parts:
        yield part.chunk
