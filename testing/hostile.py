"""Callers with bad intentions: each kind opens a socket and does one thing that a server must bear."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

FORM = "Content-Type: multipart/form-data; boundary=x\r\n"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
Hostile = Callable[[socket.socket, threading.Event, str], None]
"""Behaves badly on a socket until the event is set; the text is the path of a large picture."""


def _sent_on(connection: socket.socket, stop: threading.Event, piece: bytes, pause: float = 0) -> None:
    while not stop.wait(pause):
        connection.sendall(piece)


def _endless_header(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
    _sent_on(connection, stop, b"a" * 65536)


def _endless_headers(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    _sent_on(connection, stop, b"X: y\r\n" * 1000)


def _endless_path(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    connection.sendall(b"GET /")
    _sent_on(connection, stop, b"a" * 65536)


def _trickled_head(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\nX: ")
    _sent_on(connection, stop, b"a", 0.2)


def _silence(_connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    stop.wait()


def _trickled_body(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    connection.sendall(f"POST /api/upload-audience HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n{FORM}\r\n".encode())
    connection.sendall(PART)
    _sent_on(connection, stop, b"a", 0.2)


def _endless_body(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    head = f"POST /api/upload-image HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{FORM}\r\n"
    connection.sendall(head.encode())
    _sent_on(connection, stop, b"10000\r\n" + b"a" * 65536 + b"\r\n")


def _endless_parts(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    head = f"POST /api/upload-audience HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{FORM}\r\n"
    connection.sendall(head.encode())
    parts = (PART + b"\r\n") * 500
    _sent_on(connection, stop, b"%x\r\n" % len(parts) + parts + b"\r\n")


def _refused_body(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    head = f"POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000000\r\n{FORM}\r\n"
    connection.sendall(head.encode())
    _sent_on(connection, stop, b"a" * 65536)


def _large_json(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    head = (
        "POST /api/cut-out HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    connection.sendall(head.encode())
    _sent_on(connection, stop, b"10000\r\n" + b"[" * 65536 + b"\r\n")


def _pipelined(connection: socket.socket, stop: threading.Event, _picture: str) -> None:
    _sent_on(connection, stop, b"GET /api/sizes HTTP/1.1\r\nHost: x\r\n\r\n" * 500)


def _reads_nothing(connection: socket.socket, stop: threading.Event, picture: str) -> None:
    connection.sendall(f"GET {picture} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    stop.wait()


def _reads_slowly(connection: socket.socket, stop: threading.Event, picture: str) -> None:
    connection.sendall(f"GET {picture} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    while not stop.wait(0.2) and connection.recv(100):
        pass


KINDS: dict[str, Hostile] = {
    "endless header": _endless_header,
    "endless headers": _endless_headers,
    "endless path": _endless_path,
    "trickled head": _trickled_head,
    "silence": _silence,
    "trickled body": _trickled_body,
    "endless body": _endless_body,
    "endless parts": _endless_parts,
    "refused body": _refused_body,
    "large JSON": _large_json,
    "pipelined": _pipelined,
    "reads nothing": _reads_nothing,
    "reads slowly": _reads_slowly,
}


@contextmanager
def hostile_callers(kind: str, number: int, port: int, picture: str) -> Iterator[None]:
    """Let callers of one kind loose on a port of this machine; those that are cut off come back.

    Args:
        kind: One of KINDS.
        number: Sockets at a time.
        port: The port.
        picture: Path of a large picture.
    """
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                KINDS[kind](connection, stop, picture)
            time.sleep(0.05)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)
