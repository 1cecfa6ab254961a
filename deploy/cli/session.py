"""Finding a gateway to work with: one that is named, the one on this machine, or one that is started for the while."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

from deploy.cli.client import Client
from deploy.local.supervisor import Ports, running

LOCAL = "http://127.0.0.1:8000"
SECONDS = 300

Say = Callable[[str], None]


@asynccontextmanager
async def gateway(address: str, key: str, say: Say) -> AsyncIterator[Client]:
    """Give a client of a gateway.

    Args:
        address: The gateway's; empty: the one on this machine, which is started if there is none.
        key: For the gateway, if it wants one.
        say: Told what is started.

    Raises:
        LocalError: The system could not be started.
    """
    if not address and await _is_up(LOCAL):
        address = LOCAL
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
    local = address.startswith(("http://127.0.0.1", "http://localhost"))
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=SECONDS, trust_env=not local) as http:
        yield Client(http)
