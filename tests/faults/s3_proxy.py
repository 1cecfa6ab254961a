"""An S3 server that fails as S3 does: a proxy that delays, cuts, refuses, and loses answers, by chance from a seed."""

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
LONGEST_DELAY = 0.5
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>injected</Message></Error>'
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


class S3Proxy:
    """Passes requests on to an S3 server.

    Attributes:
        rate: How many of a hundred requests go wrong; may be changed at any time.
        injected: How often each fault was injected.
        url: Where it listens.
    """

    def __init__(self, upstream: str, seed: int) -> None:
        self.rate = 0.0
        self.injected: Counter[str] = Counter()
        self.upstream = urlsplit(upstream).netloc
        # The server behind does not promise that a condition and its write are one step; S3 does.
        self.one_write_at_a_time = threading.Lock()
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def fault(self, *, conditional: bool) -> str:
        """Choose what goes wrong with a request; empty: nothing."""
        with self._lock:
            if self._random.uniform(0, 100) >= self.rate:
                return ""
            chosen = self._random.choice(FAULTS if conditional else FAULTS[:-1])
            self.injected[chosen] += 1
            return chosen

    @contextmanager
    def serving(self) -> Iterator["S3Proxy"]:
        """Serve while inside."""
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
        """Keep quiet: processes are killed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    owner: S3Proxy
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self._body()
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
            time.sleep(random.uniform(0, LONGEST_DELAY))
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
        """Keep quiet."""
