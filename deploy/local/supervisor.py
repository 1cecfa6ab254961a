"""Starts the five processes, shows their logs in one stream, and stops them all when one ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.settings import GatewaySettings
from services.generation.settings import GenerationSettings
from services.history.settings import HistorySettings
from services.inpainting.settings import InpaintingSettings
from services.runtime.settings import read_settings
from services.segmentation.settings import SegmentationSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("segmentation", "inpainting", "generation", "history")
HOST = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 40
POLL_SECONDS = 0.2

Say = Callable[[str], None]


class LocalError(Exception):
    """The processes could not be started, or one of them ended; the text is one line."""


@dataclass(frozen=True)
class Ports:
    """The port of each process."""

    gateway: int
    segmentation: int
    inpainting: int
    generation: int
    history: int

    @classmethod
    def free(cls) -> "Ports":
        """Pick ports that nothing listens on."""
        listeners = [socket.create_server((HOST, 0)) for _ in range(len(SERVICES) + 1)]
        ports = [listener.getsockname()[1] for listener in listeners]
        for listener in listeners:
            listener.close()
        return cls(*ports)

    @classmethod
    def of_settings(cls) -> "Ports":
        """Take those that the settings name: 8000 and 50051 to 50054 unless they are changed."""
        return cls(
            gateway=read_settings(GatewaySettings).port,
            segmentation=read_settings(SegmentationSettings).port,
            inpainting=read_settings(InpaintingSettings).port,
            generation=read_settings(GenerationSettings).port,
            history=read_settings(HistorySettings).port,
        )

    def check_free(self) -> None:
        """Make sure that nothing listens on any of them.

        Raises:
            LocalError: Something does.
        """
        for name, port in vars(self).items():
            try:
                socket.create_server((HOST, port)).close()
            except OSError:
                raise LocalError(f"port {port} ({name}) is taken: stop what uses it first") from None


class Processes:
    """The five processes, running.

    Attributes:
        url: The gateway's address.
        pids: The process ids by name.
    """

    def __init__(self, ports: Ports, environment: Mapping[str, str], say: Say) -> None:
        self.url = f"http://{HOST}:{ports.gateway}"
        self._ports = ports
        self._environment = environment
        self._say = say
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._readers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name."""
        return {name: process.pid for name, process in self._processes.items()}

    async def start(self) -> None:
        """Start all and wait until the gateway says that everything is ready.

        Raises:
            LocalError: One of them ended, or they took too long.
        """
        for name in (*SERVICES, "gateway"):
            await self._start(name)
        ready = asyncio.create_task(self._until_ready())
        ended = asyncio.create_task(self.until_one_ends())
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise LocalError(f"the processes were not ready within {START_SECONDS} seconds") from None
        finally:
            ready.cancel()
            ended.cancel()
        if ended.done() and not ended.cancelled():
            raise LocalError(ended.result())

    async def _start(self, name: str) -> None:
        module = "gateway" if name == "gateway" else f"services.{name}"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            cwd=ROOT,
            env=self._environment_of(name),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=1 << 20,
        )
        self._processes[name] = process
        self._readers.append(asyncio.create_task(self._show(name, process)))

    def _environment_of(self, name: str) -> dict[str, str]:
        prefix = name.upper()
        own = {
            "PYTHONUNBUFFERED": "1",
            "GRPC_VERBOSITY": "NONE",
            f"{prefix}_LOG_FORMAT": "console",
            f"{prefix}_PORT": str(getattr(self._ports, name)),
            f"{prefix}_STOP_WAIT_SECONDS": "0",
        }
        if name == "gateway":
            own |= {
                f"GATEWAY_{service.upper()}_TARGET": f"dns:///{HOST}:{getattr(self._ports, service)}"
                for service in SERVICES
            }
        return {**os.environ, **own, **self._environment}

    async def _show(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101  # it was asked for
        async for line in process.stdout:
            self._say(f"{name:12} | {line.decode(errors='replace').rstrip()}")

    async def _until_ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                try:
                    answer = await client.get(f"{self.url}/readyz")
                except httpx.TransportError:
                    pass
                else:
                    if answer.status_code == httpx.codes.OK:
                        return
                await asyncio.sleep(POLL_SECONDS)

    async def until_one_ends(self) -> str:
        """Wait until one of the processes ends by itself; give the line that says which."""
        waits = {asyncio.create_task(process.wait()): name for name, process in self._processes.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = done.pop()
        return f"{waits[ended]} ended with status {ended.result()}: see its last lines above"

    async def stop(self) -> None:
        """Stop all, the gateway first, and wait for them."""
        for name in ("gateway", *SERVICES):
            process = self._processes.get(name)
            if process is not None and process.returncode is None:
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await asyncio.gather(*(process.wait() for process in self._processes.values()))
        except TimeoutError:
            for process in self._processes.values():
                if process.returncode is None:
                    process.kill()
        await asyncio.gather(*self._readers)


@asynccontextmanager
async def running(ports: Ports, environment: Mapping[str, str], say: Say) -> AsyncIterator[Processes]:
    """Run the five processes while inside.

    Args:
        ports: Where they listen.
        environment: Settings over those of this process.
        say: Told every line they log.

    Raises:
        LocalError: They could not be started.
    """
    processes = Processes(ports, environment, say)
    try:
        await processes.start()
        yield processes
    finally:
        await processes.stop()
