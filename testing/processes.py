"""Single processes of the system that tests start, kill and restart."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from cli.ports import Ports

ROOT = Path(__file__).parents[1]
START_SECONDS = 60


@dataclass
class Process:
    """A process that can be started more than once.

    Attributes:
        module: Module to run with `python -m`.
        port: Port it listens on.
        environment: Variables that override the environment of this process.
        arguments: Command-line arguments of the module.
        host: Address it listens on.
        lines: Log lines since the first start.
    """

    module: str
    port: int
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()
    host: str = "127.0.0.1"
    lines: list[str] = field(default_factory=list)
    _running: "subprocess.Popen[str] | None" = None
    _reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Base URL of a gateway."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    @property
    def has_ended(self) -> bool:
        assert self._running is not None
        return self._running.poll() is not None

    def start(self) -> None:
        """Start it and wait until it listens."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "GRPC_VERBOSITY": "NONE", **self.environment}
        self._running = subprocess.Popen(
            [sys.executable, "-m", self.module, *self.arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._running,), daemon=True)
        self._reader.start()
        for _ in range(START_SECONDS * 20):
            assert self._running.poll() is None, "\n".join(self.lines[-20:])
            with suppress(OSError), socket.create_connection((self.host, self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("\n".join(self.lines[-20:]))

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as log:
            for line in log:
                self.lines.append(line.rstrip())

    def kill(self) -> None:
        """Kill it without warning, as a power cut would."""
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, wait for it to exit and return its status."""
        assert self._running is not None
        assert self._reader is not None
        self._running.send_signal(number)
        status = self._running.wait(60)
        self._reader.join()
        return status


@dataclass
class Parts:
    """A running gateway, history and fixed engines."""

    gateway: Process
    history: Process
    engines: Process

    @contextmanager
    def another_gateway(self, **environment: str) -> Iterator[Process]:
        """Run another gateway with its own settings."""
        port = Ports.free().gateway
        process = Process("gateway", port, {**self.gateway.environment, "GATEWAY_PORT": str(port), **environment})
        process.start()
        try:
            until_ready(process.url, [self.engines, self.history, process])
            yield process
        finally:
            process.stop()


@contextmanager
def parts(store: Path, environment: Mapping[str, str] | None = None) -> Iterator[Parts]:
    """Start the three on free ports with a disk store; stop them on exit.

    Args:
        store: Folder of the disk store.
        environment: Settings that override the defaults.
    """
    ports = Ports.free()
    common = {
        "HISTORY_STORE": "disk",
        "HISTORY_DISK_DIR": str(store),
        "HISTORY_PORT": str(ports.history),
        "HISTORY_STOP_WAIT_SECONDS": "0",
        "FIXED_PORT": str(ports.segmentation),
        "FIXED_STOP_WAIT_SECONDS": "0",
        "GATEWAY_PORT": str(ports.gateway),
        **{
            f"GATEWAY_{name}_TARGET": f"127.0.0.1:{ports.segmentation}"
            for name in ("SEGMENTATION", "INPAINTING", "GENERATION")
        },
        "GATEWAY_HISTORY_TARGET": f"127.0.0.1:{ports.history}",
        **(environment or {}),
    }
    common |= {f"{prefix}_LOG_FORMAT": "json" for prefix in ("HISTORY", "FIXED", "GATEWAY")}
    running = Parts(
        Process("gateway", ports.gateway, common),
        Process("services.history", ports.history, common),
        Process("testing.fixed_engines", ports.segmentation, common),
    )
    with all_running([running.engines, running.history, running.gateway]):
        until_ready(running.gateway.url, [running.engines, running.history, running.gateway])
        yield running


@contextmanager
def all_running(processes: Sequence[Process]) -> Iterator[None]:
    """Start processes concurrently; stop them on exit."""
    with ExitStack() as stack, ThreadPoolExecutor(len(processes)) as pool:
        starts = [pool.submit(process.start) for process in processes]
        for process, start in zip(processes, starts, strict=True):
            start.result()
            stack.callback(process.stop)
        yield


def until_ready(url: str, processes: Sequence[Process] = ()) -> None:
    """Wait until a gateway and its services are ready; on timeout, fail with the last log lines of the processes."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/readyz", trust_env=False, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    logged = (f"{process.module}: {line}" for process in processes for line in process.lines[-20:])
    raise AssertionError("\n".join([f"{url} did not become ready", *logged]))
