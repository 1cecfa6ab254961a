"""Starts the five processes, merges their logs, and stops them all when one ends."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec

import httpx

from cli.ports import HOST, ROOT, LocalError, Ports
from common.serving.parent import END_WITH_PARENT

SERVICES = ("segmentation", "inpainting", "generation", "history")
START_SECONDS = 120
STOP_SECONDS = 40
POLL_SECONDS = 0.2
MAX_LINE = 1 << 16
NEEDED = "grpc"
"""Package of every process that the command line alone does without."""

Say = Callable[[str], None]


class Processes:
    """The five processes.

    Attributes:
        url: Address of the gateway.
        pids: Process ids by name.
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
        """Process ids by name."""
        return {name: process.pid for name, process in self._processes.items()}

    async def start(self) -> None:
        """Start all processes and wait until the gateway reports that everything is ready.

        Raises:
            LocalError: A process ended, or starting took too long.
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
        )
        self._processes[name] = process
        self._readers.append(asyncio.create_task(self._show(name, process)))

    def _environment_of(self, name: str) -> dict[str, str]:
        prefix = name.upper()
        own = {
            "PYTHONUNBUFFERED": "1",
            "GRPC_VERBOSITY": "NONE",
            END_WITH_PARENT: "1",
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
        assert process.stdout is not None  # noqa: S101  # piped in _start
        async for line in lines_of(process.stdout):
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
        """Wait until a process ends by itself; return a line that says which."""
        waits = {asyncio.create_task(process.wait()): name for name, process in self._processes.items()}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ended = done.pop()
        return f"{waits[ended]} ended with status {ended.result()}: see its last lines above"

    async def stop(self) -> None:
        """Stop all processes, the gateway first, and wait for them."""
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


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the lines of a stream; of one that is longer than MAX_LINE, the parts."""
    rest = b""
    while chunk := await stream.read(MAX_LINE):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) >= MAX_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def is_installed() -> bool:
    """Return whether this machine has the processes, beside the command line."""
    return find_spec(NEEDED) is not None


def check_installed() -> None:
    """Check that the processes are installed.

    Raises:
        LocalError: Only the command line is.
    """
    if not is_installed():
        raise LocalError("only the command line is installed here: use --gateway, or a checkout (make setup)")


@asynccontextmanager
async def running(ports: Ports, environment: Mapping[str, str], say: Say) -> AsyncIterator[Processes]:
    """Run the five processes for the duration of the context.

    Args:
        ports: Ports to listen on.
        environment: Environment variables that override those of this process.
        say: Called with every line they log.

    Raises:
        LocalError: The processes could not be started.
    """
    check_installed()
    processes = Processes(ports, environment, say)
    try:
        await processes.start()
        yield processes
    finally:
        await processes.stop()
