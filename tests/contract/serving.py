"""A service in this process, over a real socket."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message

from services.runtime.channel import open_channel
from services.runtime.errors import reason_of
from services.runtime.server import Register, create_server
from services.runtime.settings import ChannelSettings, ServiceSettings

T = TypeVar("T", bound=Message)


@asynccontextmanager
async def serving(settings: ServiceSettings, service: str, register: Register) -> AsyncIterator[grpc.aio.Channel]:
    """Run the service on a free port and give a channel to it."""
    server, _, executor, port = create_server(settings, service, register)
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}", ChannelSettings()) as channel:
            yield channel
    finally:
        await server.stop(1)
        executor.close()


async def refused(call: "Awaitable[T]") -> tuple[str, str | None, str]:
    """The status code, the reason and the text of a call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, reason_of(caught.value), caught.value.details() or ""
