"""A proxy that fails as S3 does, from a seed: it delays, resets, rejects, truncates, and loses responses."""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("delay", "reset", "lost answer", "truncated", "slow down", "conflict")
MAX_DELAY = 0.5
LATENCY_SECONDS = 0.03
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>injected</Message></Error>'
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


class S3Proxy:
    """Forwards requests to an S3 server, across a network whose latency it adds.

    Attributes:
        rate: Failing requests, in percent; may be changed at any time.
        injected: Number of injections of each fault.
        url: URL it listens on.
    """

    def __init__(self, upstream: str, seed: int) -> None:
        self.rate = 0.0
        self.injected: Counter[str] = Counter()
        self.upstream = urlsplit(upstream).netloc
        # The upstream server does not promise that conditional writes are atomic; S3 does.
        self.one_write_at_a_time = threading.Lock()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fault(self, *, conditional: bool) -> str:
        """Choose the fault of a request; empty means none."""
        with self._lock:
            if self._random.uniform(0, 100) >= self.rate:
                return ""
            chosen = self._random.choice(FAULTS if conditional else FAULTS[:-1])
            self.injected[chosen] += 1
            return chosen

    def delay(self) -> float:
        """Choose how long a delayed request takes."""
        with self._lock:
            return self._random.uniform(0, MAX_DELAY)

    @contextmanager
    def serving(self) -> Iterator["S3Proxy"]:
        """Serve until exit."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: processes are killed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    owner: S3Proxy
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self._body()
        time.sleep(LATENCY_SECONDS)
        conditional = "If-Match" in self.headers or "If-None-Match" in self.headers
        fault = self.owner.fault(conditional=conditional and self.command == "PUT")
        if fault == "reset":
            self.close_connection = True
        elif fault == "slow down":
            self._answer(503, [], ERROR.format("SlowDown").encode())
        elif fault == "conflict":
            self._answer(409, [], ERROR.format("ConditionalRequestConflict").encode())
        else:
            self._pass_on(body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def _pass_on(self, body: bytes, fault: str) -> None:
        if fault == "delay":
            time.sleep(self.owner.delay())
        status, headers, answer = self._ask(body)
        if fault == "lost answer":
            self.close_connection = True
            return
        self._answer(status, headers, answer, truncated=fault == "truncated")

    def _body(self) -> bytes:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.owner.upstream, timeout=30)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("transfer-encoding", "expect")
        }
        headers["Content-Length"] = str(len(body))
        try:
            if self.command in ("GET", "HEAD"):
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
            else:
                with self.owner.one_write_at_a_time:
                    connection.request(self.command, self.path, body, headers)
                    answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, truncated: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if truncated else body)
        if truncated:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Log nothing."""
