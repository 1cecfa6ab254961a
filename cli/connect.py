"""Connecting to a gateway: the one that is named, the one on this machine, or one that is started temporarily."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from cli.client import Client
from cli.ports import HOST, Ports
from cli.supervisor import running

SECONDS = 300

Say = Callable[[str], None]


def local_address() -> str:
    """Return the address of the gateway on this machine."""
    return f"http://{HOST}:{Ports.of_settings().gateway}"


def is_local(address: str) -> bool:
    """Return whether a gateway is on this machine."""
    return address.startswith((f"http://{HOST}", "http://localhost"))


@asynccontextmanager
async def gateway(address: str, key: str, say: Say) -> AsyncIterator[Client]:
    """Connect to a gateway.

    Args:
        address: Address of the gateway. Empty: the one on this machine, which is started if there is none.
        key: API key, if the gateway requires one.
        say: Called with what is being started.

    Raises:
        LocalError: The system could not be started.
    """
    if not address and await _is_up(local_address()):
        address = local_address()
    if address:
        async with _client(address, key) as client:
            yield client
        return
    say("starting the system on this machine (`make run` keeps it up) ...")
    lines: list[str] = []
    async with running(Ports.free(), {}, lines.append) as processes, _client(processes.url, key) as client:
        yield client


async def _is_up(address: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
        try:
            answer = await client.get(f"{address}/healthz")
        except httpx.TransportError:
            return False
    return answer.status_code == httpx.codes.OK


@asynccontextmanager
async def _client(address: str, key: str) -> AsyncIterator[Client]:
    headers = {"X-API-Key": key} if key else {}
    direct = is_local(address)  # a proxy is for gateways elsewhere
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=SECONDS, trust_env=not direct) as http:
        yield Client(http)
