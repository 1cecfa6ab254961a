"""A real Valkey server for tests."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cli.ports import Ports


class ValkeyServer:
    """A server that keeps nothing on disk and can be stopped, frozen and started again.

    Attributes:
        url: Its URL.
    """

    def __init__(self) -> None:
        self._port = Ports.free().history
        self.url = f"valkey://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            RuntimeError: There is no server on this machine, or it does not start.
        """
        program = shutil.which("valkey-server")
        if program is None:
            raise RuntimeError("install valkey-server (Debian 12 has it in bookworm-backports, later ones in main)")
        command = [program, "--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]  # noqa: S108
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)):
                return
            time.sleep(0.05)
        raise RuntimeError("valkey-server does not listen")

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it accept connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def valkey_server() -> Iterator[ValkeyServer]:
    """Run a server."""
    server = ValkeyServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
