"""Replicas of the segmentation service, each with an address of its own, and callers that keep them busy."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import httpx

from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from services.runtime.channel import open_channel
from services.runtime.settings import ChannelSettings
from tests.processes import Process
from tests.rolling.names import NAME, Names, serving

ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
CONNECTION_AGE_SECONDS = 35
"""More than the 30 seconds that gRPC leaves at least between two questions to a name server."""
CALLERS = 6
COUNT = re.compile(r'^productimage_rpc_seconds_count\{code="OK",method="CutOut"\} ([\d.]+)$', re.MULTILINE)


def free_port() -> int:
    """Pick a port that is free at every address."""
    with socket.create_server(("", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Replicas:
    """The replicas, and who is to find which of them.

    Attributes:
        names: What callers are told.
        channel: As the gateway opens it.
        processes: By address; not all need run.
    """

    names: Names
    channel: grpc.aio.Channel
    processes: dict[str, Process]
    _metrics_port: int
    failures: list[str] = field(default_factory=list)
    answered: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def start(self, address: str) -> None:
        """Start one, and tell its address once it is ready."""
        self.processes[address].start()
        self.names.addresses.append(address)

    def counts(self) -> dict[str, int]:
        """Give how many calls each running replica has answered."""
        return {address: self._count(address) for address in self.names.addresses}

    def _count(self, address: str) -> int:
        text = httpx.get(f"http://{address}:{self._metrics_port}/metrics", trust_env=False).text
        found = COUNT.search(text)
        return int(float(found[1])) if found else 0

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Keep all callers calling until what is inside ends; every call that fails is written down."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._call_until(over))
            try:
                yield
            finally:
                over.set()

    async def _call_until(self, over: asyncio.Event) -> None:
        stub = segmentation_pb2_grpc.SegmentationServiceStub(self.channel)
        request = segmentation_pb2.CutOutRequest()
        while not over.is_set():
            try:
                await stub.CutOut(request, timeout=20)
            except grpc.aio.AioRpcError as error:
                self.failures.append(f"{error.code().name}: {error.details()}")
            else:
                self.answered += 1
                async with self._news:
                    self._news.notify_all()

    async def until_answered(self, calls: int) -> None:
        """Wait until so many more calls have been answered."""
        target = self.answered + calls
        async with self._news:
            await self._news.wait_for(lambda: self.answered >= target)


@asynccontextmanager
async def replicas(running: int) -> AsyncIterator[Replicas]:
    """Start some of the three; stop what runs in the end."""
    port, metrics_port = free_port(), free_port()
    processes = {
        address: Process(
            "tests.fixed_engines",  # the service's own server and runtime, around an engine that only takes its time
            port,
            {
                "FIXED_HOST": address,
                "FIXED_PORT": str(port),
                "FIXED_METRICS_HOST": address,
                "FIXED_METRICS_PORT": str(metrics_port),
                "FIXED_MAX_CONNECTION_AGE_SECONDS": str(CONNECTION_AGE_SECONDS),
                "FIXED_LOG_LEVEL": "WARNING",
            },
            host=address,
        )
        for address in ADDRESSES
    }
    names = Names()
    with serving(names) as name_server:
        channel = open_channel(f"dns://127.0.0.1:{name_server}/{NAME}:{port}", ChannelSettings())
        all_of_them = Replicas(names, channel, processes, metrics_port)
        try:
            for address in ADDRESSES[:running]:
                all_of_them.start(address)
            yield all_of_them
        finally:
            await channel.close()
            for address in names.addresses:
                processes[address].stop()
