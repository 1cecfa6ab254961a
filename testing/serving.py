"""A service in this process, over a real socket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message

from common.serving.engines import EngineRegistry
from common.serving.server import Register, Service, create_server
from common.settings import ServiceSettings
from productimage import Connection, connect
from productimage.errors import from_rpc_error

T = TypeVar("T", bound=Message)
SettingsType = TypeVar("SettingsType", bound=ServiceSettings)


@asynccontextmanager
async def serving(
    settings: SettingsType, names: Sequence[str], build: Callable[[SettingsType, EngineRegistry], Register]
) -> AsyncIterator[Connection]:
    """Run a service on a free port, and yield a connection to it.

    Args:
        settings: Settings of the service, with port 0.
        names: Full names of its gRPC services.
        build: Loads the engines and returns the function that adds the servicers.
    """
    engines = EngineRegistry()
    running = create_server(settings, Service(names, engines, build(settings, engines)))
    await running.server.start()
    try:
        async with connect(f"127.0.0.1:{running.port}") as connection:
            yield connection
    finally:
        await running.server.stop(1)
        running.executor.close()


async def rejected(call: "Awaitable[T]") -> tuple[str, str | None, str]:
    """Return the status code, the reason and the text of a raw call that must fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = from_rpc_error(caught.value)
    return caught.value.code().name, error.reason or None, error.message


def registering(register: Register) -> Callable[[ServiceSettings, EngineRegistry], Register]:
    """Return a `build` that loads nothing and registers servicers."""
    return lambda _settings, _engines: register
