"""An HTTP server on a real socket that sends scripted replies and records the requests."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A received request; header names are in Title-Case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A scripted response.

    Attributes:
        status: HTTP status.
        body: Body.
        headers: Headers beside Content-Type and Content-Length.
        cut: Close the connection instead of responding.
        wait: Delay before responding, in seconds.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    wait: float = 0


Script = Sequence[Reply] | Callable[[Asked], Reply]


class ScriptedServer:
    """Sends the replies in order, repeating the last one, or whatever a function returns."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.was_asked = threading.Event()
        self._script = script
        self._released = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://localhost:{self._server.server_port}"

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            self.was_asked.set()
            if not isinstance(self._script, Sequence):
                return self._script(asked)
            return self._script[min(len(self.asked), len(self._script)) - 1]

    def wait(self, seconds: float) -> None:
        self._released.wait(seconds)

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: connections are cut on purpose."""


class _Handler(BaseHTTPRequestHandler):
    owner: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.title(): value for name, value in self.headers.items()}
        reply = self.owner.answer(Asked(self.path, headers, body))
        self.owner.wait(reply.wait) if reply.wait else None
        if reply.cut:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_POST  # noqa: N815  # name set by the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


@contextmanager
def scripted(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Run a scripted server; over TLS if there is a context for it."""
    server = ScriptedServer(script, tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
