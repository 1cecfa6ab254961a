"""Replicas of the segmentation service, each with its own address, and callers that keep them busy."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import httpx

from productimage import connect
from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from testing.processes import Process
from tests.rolling.names import NAME, Names, serving

ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
CONNECTION_AGE_SECONDS = 35
"""Maximum connection age, in seconds: above the 30 seconds that gRPC waits at least between DNS queries."""
CALLERS = 6
COUNT = re.compile(r'^productimage_rpc_seconds_count\{code="OK",method="CutOut"\} ([\d.]+)$', re.MULTILINE)


def free_port() -> int:
    """Return a port that is free at every address."""
    with socket.create_server(("", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Replicas:
    """The replicas, and the name server that lists the ready ones.

    Attributes:
        names: Name server of the callers.
        channel: Channel opened as in the gateway.
        processes: Processes by address; not all need to run.
    """

    names: Names
    channel: grpc.aio.Channel
    processes: dict[str, Process]
    _metrics_port: int
    failures: list[str] = field(default_factory=list)
    answered: int = 0
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def start(self, address: str) -> None:
        """Start a replica; publish its address once it listens."""
        self.processes[address].start()
        self.names.addresses.append(address)

    def counts(self) -> dict[str, int]:
        """Return the number of calls that each running replica has served."""
        return {address: self._count(address) for address in self.names.addresses}

    def _count(self, address: str) -> int:
        text = httpx.get(f"http://{address}:{self._metrics_port}/metrics", trust_env=False).text
        found = COUNT.search(text)
        return int(float(found[1])) if found else 0

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Keep all callers calling until exit; record every failed call."""
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
        """Wait until this many more calls have succeeded."""
        target = self.answered + calls
        async with self._news:
            await self._news.wait_for(lambda: self.answered >= target)


@asynccontextmanager
async def replicas(running: int) -> AsyncIterator[Replicas]:
    """Start this many of the three replicas; stop those that run on exit."""
    port, metrics_port = free_port(), free_port()
    processes = {
        address: Process(
            "testing.fixed_engines",  # the real server around an engine that only sleeps
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
        connection = connect(f"dns://127.0.0.1:{name_server}/{NAME}:{port}")
        all_of_them = Replicas(names, connection.channel, processes, metrics_port)
        try:
            for address in ADDRESSES[:running]:
                all_of_them.start(address)
            yield all_of_them
        finally:
            await connection.close()
            for address in names.addresses:
                processes[address].stop()
