"""HTTP as its standards have it, on every route, and the bounds of everything that a request or a response may be.

`LIMITS` in docs/limits.md is the table; each row names a test here or in test_perimeter.py.
"""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from gateway.settings import GatewaySettings
from testing.hostile import KINDS, hostile_callers
from testing.pictures import ball, encoded
from testing.processes import Parts, Process, parts
from testing.system import FORM

PHOTO = encoded(ball(160, 120)[0])
LARGE = encoded(np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), np.uint8))
"""A photo of about 9 MB."""
SOCKETS = 64


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    settings = {"FIXED_SECONDS": "0", "GATEWAY_BACKGROUNDS": "square", "GATEWAY_SILENCE_SECONDS": "1.5"}
    with parts(tmp_path_factory.mktemp("store"), settings) as started:
        yield started


@pytest.fixture(scope="module")
def client(running: Parts) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="module")
def made(client: httpx.Client) -> dict[str, Any]:
    upload = client.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)}).json()
    form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
    record = client.post("/api/generate-product", data=form).json()
    return {**upload, "ad": record["generated_images"][0], "sequence": record["sequence"]}


def memory_of(pid: int) -> int:
    """Return the resident memory of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) << 10


def uploaded(running: Parts, address: str) -> httpx.Response:
    """Upload a photo from an address, trying again while the gateway is busy."""
    transport = httpx.HTTPTransport(local_address=address)
    end = time.monotonic() + 30
    with httpx.Client(base_url=running.gateway.url, transport=transport, timeout=30) as caller:
        while (
            answer := caller.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)})
        ).status_code == 429:
            assert time.monotonic() < end
            time.sleep(0.2)
    return answer


def talk(running: Parts, request: bytes, seconds: float = 10) -> bytes:
    """Send bytes; return everything that comes back until the gateway closes, or for a while."""
    with socket.create_connection(("127.0.0.1", running.gateway.port), timeout=seconds) as connection:
        connection.sendall(request)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return received


class TestConditions:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("route", ["upload", "ad", "cached ad", "page", "history"])
    def test_lists_of_tags_and_a_star_are_understood(
        self, client: httpx.Client, made: dict[str, Any], method: str, route: str
    ) -> None:
        path = {"upload": f"/static/{made['filename']}", "page": "/", "history": "/api/history"}.get(
            route, f"/static/{made['ad']}"
        )
        if route == "cached ad":
            client.get(path)
        tag = client.get(path).headers["etag"]
        for value, status in (
            (tag, 304),
            (f"W/{tag}", 304),
            (f'"other", {tag}', 304),
            (f'{tag}, "other"', 304),
            (f'W/"other",W/{tag}', 304),
            ("*", 304),
            ('"other"', 200),
            ('"other", "more"', 200),
            ("", 200),
            (tag.strip('"'), 200),
        ):
            answer = client.request(method, path, headers={"If-None-Match": value})
            assert answer.status_code == status, value
            assert answer.headers["etag"] == tag
            assert not answer.content or method == "GET"
        for value, status in ((tag, 200), (f'"other", {tag}', 200), ("*", 200), ('"other"', 412), (f"W/{tag}", 412)):
            answer = client.request(method, path, headers={"If-Match": value})
            assert answer.status_code == status, value

    @pytest.mark.parametrize(
        "path",
        [
            *(
                "/",
                "/static/{filename}",
                "/static/{ad}",
                "/api/history",
                "/api/records",
                "/api/records/{sequence}",
                "/api/sizes",
            ),
            *("/api/status", "/api/styles", "/api/uploads/{timestamp}", "/api/records/{sequence}/archive", "/healthz"),
            *("/readyz", "/docs", "/openapi.json"),
        ],
    )
    def test_what_can_be_got_can_be_asked_about(self, client: httpx.Client, made: dict[str, Any], path: str) -> None:
        got, about = client.get(path.format_map(made)), client.head(path.format_map(made))
        assert (about.status_code, about.content) == (200, b"")
        names = ("content-type", "etag", "cache-control", "accept-ranges")
        assert [about.headers.get(name) for name in names] == [got.headers.get(name) for name in names]

    @pytest.mark.parametrize("name", ["filename", "ad"])
    def test_parts_of_a_picture(self, client: httpx.Client, made: dict[str, Any], name: str) -> None:
        path = f"/static/{made[name]}"
        whole = client.get(path)
        data, size, tag = whole.content, len(whole.content), whole.headers["etag"]
        assert whole.headers["accept-ranges"] == "bytes"
        for asked, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=0-99", 0, 100),
            ("bytes=100-", 100, size),
            ("bytes=-7", size - 7, size),
            (f"bytes=5-{size * 2}", 5, size),
            (f"bytes=-{size * 2}", 0, size),
        ):
            answer = client.get(path, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (206, data[start:end]), asked
            assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert answer.headers["content-length"] == str(end - start)
        for asked in ("bytes=5-1", "lines=0-1", "bytes=0-1,4-5", "bytes=-", "bytes=x-y"):
            assert client.get(path, headers={"Range": asked}).content == data, asked
        beyond = client.get(path, headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        assert "bytes" in beyond.json()["detail"]
        for depends_on, status in ((tag, 206), ('"another"', 200)):
            answer = client.get(path, headers={"Range": "bytes=0-9", "If-Range": depends_on})
            assert answer.status_code == status
        for asked in ("bytes=0-9", f"bytes={size}-"):  # only GET has ranges
            about = client.head(path, headers={"Range": asked})
            assert (about.status_code, about.headers["content-length"]) == (200, str(size))


class TestStatus:
    @pytest.mark.parametrize(
        ("path", "headers", "content", "status"),
        [
            ("/api/cut-out", {"Content-Type": "text/plain"}, b"{}", 415),
            ("/api/upload-image", {"Content-Type": "application/json"}, b"{}", 415),
            ("/api/upload-audience", {"Content-Type": "text/csv"}, b"uid\n1\n", 415),
            ("/api/cut-out", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415),
            ("/api/cut-out", {"Content-Type": "application/json"}, b'{"timestamp": ', 400),
            ("/api/cut-out", {"Content-Type": "application/json"}, b" " * 270_000, 413),
            ("/api/upload-audience", {"Content-Type": "multipart/form-data; boundary=x"}, b" " * 6_000_000, 413),
            ("/api/sizes", {}, b"", 405),
        ],
    )
    def test_what_is_wrong_with_a_request_is_said_in_its_status_and_in_words(
        self, client: httpx.Client, path: str, headers: dict[str, str], content: bytes, status: int
    ) -> None:
        answer = client.post(path, headers=headers, content=content)
        assert answer.status_code == status, answer.text
        assert len(answer.json()["detail"]) > 10
        assert "JSON decode" not in answer.text

    def test_methods_that_a_path_has_are_listed(self, client: httpx.Client) -> None:
        assert client.put("/api/records/0").headers["allow"] == "DELETE, GET, HEAD"
        assert client.post("/api/sizes").headers["allow"] == "GET, HEAD"

    def test_nobody_is_sent_to_a_host_of_the_callers_choice(self, client: httpx.Client) -> None:
        for path in ("/api/sizes/", "/docs/", "/static"):
            answer = client.get(path, headers={"Host": "localhost"})
            assert "location" not in answer.headers
            assert answer.status_code == 404

    def test_responses_say_who_may_keep_and_embed_them(self, client: httpx.Client, made: dict[str, Any]) -> None:
        data, picture = client.get("/api/records"), client.get(f"/static/{made['ad']}")
        assert data.headers["cache-control"] == "no-store"
        assert data.headers["cross-origin-resource-policy"] == "same-origin"
        assert "immutable" in picture.headers["cache-control"]
        assert picture.headers["cross-origin-resource-policy"] == "cross-origin"
        for answer in (data, picture, client.get("/"), client.get("/nothing")):
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"


class TestDeletion:
    def test_what_is_deleted_is_gone_from_every_route_and_cache(self, client: httpx.Client) -> None:
        upload = client.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)}).json()
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        doomed, other = (client.post("/api/generate-product", data=form).json() for _ in range(2))
        pictures = [f"/static/{path}" for path in doomed["generated_images"]]
        assert [client.get(path).status_code for path in pictures * 2] == [200] * 6, "the second time from the cache"
        for _ in range(2):
            answer = client.delete(f"/api/records/{doomed['sequence']}")
            assert (answer.status_code, answer.content) == (204, b"")
            assert "content-type" not in answer.headers
        assert client.get(f"/api/records/{doomed['sequence']}").status_code == 404
        assert [client.get(path).status_code for path in pictures] == [404] * 3
        assert doomed["request_id"] not in client.get("/api/history").text
        assert client.get(f"/api/records/{other['sequence']}").json() == other
        path = f"/api/uploads/{upload['timestamp']}"
        assert client.get(path).json() == upload
        assert [client.delete(path).status_code for _ in range(2)] == [204, 404]
        assert upload["timestamp"] not in client.get("/api/history").text
        assert client.get(f"/static/{other['generated_images'][0]}").status_code == 404
        assert client.delete("/api/records/999999").status_code == 404


class TestForeignPages:
    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil", ""]
    )
    def test_a_name_that_a_stranger_may_own_is_refused(self, client: httpx.Client, host: str) -> None:
        for path in ("/api/history", "/", "/static/x", "/healthz"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 421, host
            assert "GATEWAY_ALLOWED_HOSTS" in answer.json()["detail"]

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000", "gateway", "10.1.2.3:80"]
    )
    def test_a_name_that_no_stranger_owns_is_served(self, client: httpx.Client, host: str) -> None:
        assert client.get("/api/history", headers={"Host": host}).status_code == 200

    def test_configured_names_alone_are_served(self, running: Parts) -> None:
        with (
            running.another_gateway(GATEWAY_ALLOWED_HOSTS='["ads.example.com", "127.0.0.1"]') as gateway,
            httpx.Client(base_url=gateway.url, trust_env=False) as client,
        ):
            for host, status in (("ads.example.com", 200), ("ADS.example.com:443", 200), ("localhost", 421)):
                assert client.get("/healthz", headers={"Host": host}).status_code == status

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 404),
            ({"Origin": "http://localhost:3001"}, 404),
            ({"Sec-Fetch-Site": "same-origin"}, 404),
            ({"Sec-Fetch-Site": "none"}, 404),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://127.0.0.1.evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Sec-Fetch-Site": "same-site"}, 403),
        ],
    )
    def test_foreign_pages_change_nothing(self, client: httpx.Client, headers: dict[str, str], status: int) -> None:
        answer = client.delete("/api/uploads/20200101000000-0123456789abcdef", headers=headers)
        assert answer.status_code == status
        own = client.delete(
            "/api/uploads/20200101000000-0123456789abcdef", headers={"Origin": str(client.base_url).rstrip("/")}
        )
        assert own.status_code == 404
        if status == 403:
            photo = {"product_image": ("a.png", PHOTO)}
            assert client.post("/api/upload-image", files=photo, headers=headers).status_code == 403
            assert client.get("/api/sizes", headers=headers).status_code == 200, "reading is up to CORS"


class TestHeads:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 400_000,
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000,
            b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET /" + b"a" * 400_000,
        ],
    )
    def test_a_head_that_is_too_large_is_answered_with_431(self, running: Parts, head: bytes) -> None:
        answer = talk(running, head)
        assert answer.startswith(b"HTTP/1.1 431"), answer[:200]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"].startswith("The headers")

    def test_heads_at_the_limit_are_served_and_each_counts_for_itself(self, running: Parts) -> None:
        request = (
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"a" * 20_000 + b"\r\n" + b"Y: z\r\n" * 90 + b"\r\n"
        )
        answer = talk(running, request * 5, 3)
        assert len(re.findall(rb"HTTP/1.1 200", answer)) == 5

    def test_a_rejected_head_ends_what_was_sent_behind_it(self, running: Parts) -> None:
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n"
        answer = talk(running, head + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
        assert answer.count(b"HTTP/1.1") == 1


class TestParts:
    def test_forms_at_the_limit_are_read_and_larger_ones_are_rejected_unparsed(self, client: httpx.Client) -> None:
        most = GatewaySettings(api_keys={}).max_form_parts
        for others, status in ((most - 1, 200), (most, 400)):
            fields = {f"other{number}": "x" for number in range(others)}
            answer = client.post("/api/upload-image", files={"product_image": ("a.png", PHOTO)}, data=fields)
            assert answer.status_code == status, answer.text
        assert answer.json()["detail"] == f"The form has more than {most} parts: send each field once."

    def test_files_count_as_texts_do(self, client: httpx.Client) -> None:
        files = [("file", (f"{number}.csv", b"uid,tags")) for number in range(200)]
        assert client.post("/api/upload-audience", files=files).status_code == 400


class TestPipelined:
    def test_a_few_requests_in_a_row_are_answered_and_a_flood_is_cut_without_a_word_in_the_log(
        self, running: Parts
    ) -> None:
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        assert talk(running, request * 8, 1).count(b"HTTP/1.1 200") == 8
        lines = len(running.gateway.lines)
        for _ in range(20):
            assert talk(running, request * 500, 5).count(b"HTTP/1.1 200") < 100
        assert running.gateway.lines[lines:] == []
        assert talk(running, request, 1).startswith(b"HTTP/1.1 200")


class TestRefusals:
    def test_a_refusal_reaches_callers_who_are_still_sending(self, running: Parts) -> None:
        """They send all of their 8 MB before they read; a connection closed on that would be reset."""
        body = b"--x\r\n" + bytes(8_000_000)
        for size in ("90000000000", str(len(body))):
            head = f"POST /api/upload-audience HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n"
            head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", running.gateway.port), timeout=20) as connection:
                    connection.sendall(head.encode() + body)
                    assert connection.recv(65536).startswith(b"HTTP/1.1 413")

    def test_a_refused_body_is_not_read_for_ever(self, running: Parts) -> None:
        head = b"POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000000\r\n"
        sent = 0
        with socket.create_connection(("127.0.0.1", running.gateway.port), timeout=20) as connection:
            connection.sendall(head + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
            with suppress(ConnectionResetError, BrokenPipeError):
                while sent < 200 << 20:
                    connection.sendall(bytes(1 << 16))
                    sent += 1 << 16
        assert sent < 80 << 20


class TestReaders:
    def test_who_reads_nothing_is_cut_off_and_holds_no_place(self, running: Parts) -> None:
        limits = {
            "GATEWAY_MAX_DOWNLOADS": "4",
            "GATEWAY_SILENCE_SECONDS": "1",
            "GATEWAY_LEAST_BYTES_PER_SECOND": "1000000",
        }
        with (
            running.another_gateway(**limits) as gateway,
            httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as client,
        ):
            path = client.post("/api/upload-image", files={"product_image": ("a.png", LARGE)}).json()["filename"]
            silent = []
            for _ in range(3):
                silent.append(socket.create_connection(("127.0.0.1", gateway.port)))
                silent[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                silent[-1].sendall(f"GET /static/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.3)
            refused = client.get(f"/static/{path}")
            assert refused.status_code == 429
            assert "one caller" in refused.json()["detail"]
            assert client.get("/api/sizes").status_code == 200
            end = time.monotonic() + 120
            while (answer := client.get(f"/static/{path}")).status_code == 429:
                assert time.monotonic() < end
                time.sleep(0.5)
            assert answer.content == LARGE
            for connection in silent:
                connection.close()

    @pytest.mark.parametrize(
        ("limits", "pause"),
        [
            ({"GATEWAY_SILENCE_SECONDS": "0.5", "GATEWAY_LEAST_BYTES_PER_SECOND": "1000000"}, 0.2),
            ({"GATEWAY_DOWNLOAD_DEADLINE_SECONDS": "1"}, 0.01),
        ],
        ids=["rate", "time"],
    )
    def test_who_reads_too_slowly_or_for_too_long_is_cut_off(
        self, running: Parts, limits: dict[str, str], pause: float
    ) -> None:
        with running.another_gateway(**limits) as gateway:
            with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as client:
                path = client.post("/api/upload-image", files={"product_image": ("a.png", LARGE)}).json()["filename"]
                whole = client.get(f"/static/{path}")
                assert whole.content == LARGE, "a caller who reads gets it all"
            assert received(gateway, f"/static/{path}", pause, seconds=2) < len(LARGE)


def received(gateway: Process, path: str, pause: float, seconds: float) -> int:
    """Read a response a little at a time, then the rest of it; return how many bytes came."""
    size, start = 0, time.monotonic()
    with socket.socket() as connection, suppress(ConnectionResetError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", gateway.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        while piece := connection.recv(4096):
            size += len(piece)
            if time.monotonic() - start < seconds:
                time.sleep(pause)
    return size


@pytest.mark.parametrize("kind", list(KINDS))
def test_hostile_callers_take_no_memory_and_keep_nobody_out(running: Parts, client: httpx.Client, kind: str) -> None:
    large = client.post("/api/upload-image", files={"product_image": ("a.png", LARGE)}).json()["filename"]
    before = memory_of(running.gateway.pid)
    with hostile_callers(kind, SOCKETS, running.gateway.port, f"/static/{large}"):
        end, most = time.monotonic() + 1, before
        while time.monotonic() < end:
            most = max(most, memory_of(running.gateway.pid))
            assert client.get("/healthz").status_code == 200
            time.sleep(0.05)
        assert client.get("/api/sizes").status_code == 200
        assert uploaded(running, "127.0.0.2").status_code == 200
    assert most - before < 64 << 20, f"{(most - before) >> 20} MB more"
    assert uploaded(running, "127.0.0.1").status_code == 200, "from the same address, when they have gone"
    assert not any("Traceback" in line for line in running.gateway.lines)
