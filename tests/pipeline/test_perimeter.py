"""Authentication, limits and deadlines of a real gateway, with engines that only sleep."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from gateway.api_keys import digest_of, new_key
from gateway.settings import GatewaySettings
from testing.pictures import SAMPLE, ball, encoded
from testing.processes import Parts, Process, parts
from testing.system import FORM
from testing.waiting import eventually

ORIGIN = "http://localhost:3000"
CHEAP = ("/healthz", "/api/target-audiences", "/api/history")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with parts(tmp_path_factory.mktemp("store"), {"FIXED_SECONDS": "0.3", "GATEWAY_BACKGROUNDS": "square"}) as started:
        yield started


@pytest.fixture(scope="module")
def strict(running: Parts) -> Iterator[Process]:
    limits = {"GATEWAY_SILENCE_SECONDS": "0.6", "GATEWAY_BODY_SECONDS": "1.5", "GATEWAY_IDLE_SECONDS": "1"}
    with running.another_gateway(**limits) as gateway:
        yield gateway


def client_of(gateway: Process, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=gateway.url, headers=headers, trust_env=False, timeout=30)


def upload(client: httpx.Client) -> httpx.Response:
    return client.post("/api/upload-image", files={"product_image": ("flask.jpg", SAMPLE.read_bytes())})


def generate(client: httpx.Client, uploaded: dict[str, Any]) -> httpx.Response:
    form = {**FORM, "product_image_filename": uploaded["filename"], "timestamp": uploaded["timestamp"]}
    return client.post("/api/generate-product", data=form)


def connect(gateway: Process) -> socket.socket:
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=20)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


class TestKeys:
    def test_a_key_opens_the_api_and_nothing_else_needs_one(self, running: Parts) -> None:
        key = new_key()
        keys = json.dumps({"shop": digest_of(key), "agency": digest_of(new_key())})
        with running.another_gateway(GATEWAY_API_KEYS=keys) as gateway:
            with client_of(gateway) as nobody:
                for path in ("/api/target-audiences", "/api/history", "/api/nothing-of-that-name"):
                    answer = nobody.get(path)
                    assert answer.status_code == 401
                    assert answer.headers["www-authenticate"] == "Bearer"
                    assert "X-API-Key" in answer.json()["detail"]
                assert upload(nobody).status_code == 401
                assert nobody.get("/healthz").status_code == nobody.get("/readyz").status_code == 200
                assert nobody.get("/static/x").status_code == 404
                preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
                asked = {**preflight, "Access-Control-Request-Headers": "authorization,idempotency-key"}
                assert nobody.options("/api/upload-image", headers=asked).status_code == 200
            for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"}, {"X-API-Key": key}):
                with client_of(gateway, **headers) as shop:
                    assert shop.get("/api/history").status_code == 200
            for wrong in (key[:-1], key + "x", digest_of(key), ""):
                with client_of(gateway, **{"X-API-Key": wrong}) as stranger:
                    assert stranger.get("/api/history").status_code == 401
        log = "\n".join(gateway.lines)
        assert '"api_key": "shop"' in log
        assert key not in log

    def test_each_key_may_be_used_only_so_often(self, running: Parts) -> None:
        one, other = new_key(), new_key()
        keys = json.dumps({"one": digest_of(one), "other": digest_of(other)})
        with running.another_gateway(GATEWAY_API_KEYS=keys, GATEWAY_RATE_LIMIT="3/minute") as gateway:
            with client_of(gateway, **{"X-API-Key": one}) as client:
                assert [client.get("/api/target-audiences").status_code for _ in range(3)] == [200] * 3
                refused = client.get("/api/target-audiences")
                assert refused.status_code == 429
                assert 1 <= int(refused.headers["retry-after"]) <= 120
                assert "3 per 1 minute" in refused.json()["detail"]
            with client_of(gateway, **{"X-API-Key": other}) as client:
                assert client.get("/api/target-audiences").status_code == 200

    @pytest.mark.parametrize(
        "reachable",
        [
            {"GATEWAY_HOST": "0.0.0.0"},  # noqa: S104
            pytest.param({"GATEWAY_PUBLISHED": "192.0.2.1:80"}, marks=pytest.mark.slow),
            pytest.param({"GATEWAY_PUBLISHED": "[::]:80"}, marks=pytest.mark.slow),
        ],
    )
    def test_a_door_to_the_network_is_opened_with_keys_or_on_purpose(
        self, running: Parts, reachable: dict[str, str]
    ) -> None:
        with pytest.raises(AssertionError, match="there are no API keys: set GATEWAY_API_KEYS") as caught:
            running.another_gateway(**reachable).__enter__()
        assert "Value error" not in str(caught.value)
        with running.another_gateway(**reachable, GATEWAY_API_KEYS=json.dumps({"shop": digest_of("key")})):
            pass
        with running.another_gateway(**reachable, GATEWAY_OPEN_TO_ANYONE="true") as gateway:
            eventually(
                lambda: any('"warning"' in line and "No API keys are configured" in line for line in gateway.lines)
            )
        assert not any("No API keys" in line for line in running.gateway.lines)

    def test_a_key_for_repeating_is_its_owners(self, running: Parts) -> None:
        shops = {name: new_key() for name in ("shop", "agency")}
        keys = json.dumps({name: digest_of(key) for name, key in shops.items()})
        made = {}
        with running.another_gateway(GATEWAY_API_KEYS=keys) as gateway:
            for name, key in shops.items():
                with client_of(gateway, **{"X-API-Key": key, "Idempotency-Key": "order-1"}) as client:
                    photo = encoded(ball(160 if name == "shop" else 120, 120)[0])
                    answers = [client.post("/api/upload-image", files={"product_image": photo}) for _ in range(2)]
                    assert answers[0].status_code == 200, answers[0].text
                    assert answers[0].json() == answers[1].json()
                    made[name] = answers[0].json()["timestamp"]
        assert made["shop"] != made["agency"]

    def test_one_owner_cannot_take_every_place(self, running: Parts) -> None:
        shops = {name: new_key() for name in ("shop", "agency")}
        keys = json.dumps({name: digest_of(key) for name, key in shops.items()})
        with (
            running.another_gateway(GATEWAY_API_KEYS=keys, GATEWAY_MAX_RECEIVING="4") as gateway,
            client_of(gateway, **{"X-API-Key": shops["agency"]}) as agency,
            client_of(gateway, **{"X-API-Key": shops["shop"]}) as shop,
        ):
            head = "POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n"
            head += f"X-API-Key: {shops['shop']}\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x"
            slow = [connect(gateway) for _ in range(3)]
            for connection in slow:
                connection.sendall(head.encode())
            time.sleep(0.2)
            refused = upload(shop)
            assert refused.status_code == 429
            assert "one caller" in refused.json()["detail"]
            assert upload(agency).status_code == 200
            for connection in slow:
                connection.close()


class TestHeaders:
    @pytest.mark.parametrize("path", ["/healthz", "/api/history", "/static/nothing", "/nothing", "/openapi.json"])
    def test_every_answer_tells_browsers_what_not_to_do(self, running: Parts, path: str) -> None:
        with client_of(running.gateway) as client:
            headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
        assert "server" not in headers
        assert "x-powered-by" not in headers

    def test_other_origins_are_told_nothing(self, running: Parts) -> None:
        with client_of(running.gateway) as client:
            ours = client.get("/api/history", headers={"Origin": ORIGIN}).headers
            theirs = client.get("/api/history", headers={"Origin": "https://evil.example"}).headers
            asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            preflight = client.options("/api/upload-image", headers=asked)
        assert ours["access-control-allow-origin"] == ORIGIN
        assert not [name for name in theirs if name.startswith("access-control-allow")]
        assert preflight.status_code == 400
        assert "access-control-allow-origin" not in preflight.headers
        assert "access-control-allow-credentials" not in ours

    def test_any_origin_means_no_credentials(self, running: Parts) -> None:
        with running.another_gateway(GATEWAY_CORS_ORIGINS='["*"]') as gateway, client_of(gateway) as client:
            headers = client.get("/api/history", headers={"Origin": "https://any.example", "Cookie": "a=b"}).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers


class TestAdmission:
    def test_what_is_too_much_is_refused_before_it_is_read_and_cheap_things_go_on(self, running: Parts) -> None:
        with (
            running.another_gateway(GATEWAY_MAX_UPLOADS="1", GATEWAY_MAX_GENERATIONS="1") as gateway,
            client_of(gateway) as client,
        ):
            first = upload(client).json()
            results: list[httpx.Response] = []
            work = [threading.Thread(target=lambda: results.append(generate(client, first))) for _ in range(2)]
            for thread in work:
                thread.start()
            time.sleep(0.2)
            with connect(gateway) as unread:
                head = "POST /api/generate-product HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
                unread.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
                answer = unread.recv(65536).decode()
            assert answer.startswith("HTTP/1.1 429")
            assert "retry-after: 2" in answer.lower()
            for path in CHEAP:
                assert client.get(path).status_code == 200, path
            assert upload(client).status_code == 200, "uploads have places of their own"
            for thread in work:
                thread.join()
            assert sorted(answer.status_code for answer in results) == [200, 429]
            refused = next(answer for answer in results if answer.status_code == 429)
            assert refused.headers["retry-after"] == "2"
            assert "try again" in refused.json()["detail"]
            assert generate(client, first).status_code == 200, "the place is free again"

    def test_slow_senders_keep_nobody_from_working(self, running: Parts) -> None:
        limits = {"GATEWAY_MAX_UPLOADS": "1", "GATEWAY_MAX_RECEIVING": "4", "GATEWAY_MAX_SHARE": "1"}
        with running.another_gateway(**limits) as gateway:
            head = "POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n"
            slow = [connect(gateway) for _ in range(3)]
            for connection in slow:
                connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode())
            time.sleep(0.2)
            with client_of(gateway) as client:
                assert upload(client).status_code == 200
                slow.append(connect(gateway))
                slow[-1].sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode())
                time.sleep(0.2)
                assert upload(client).status_code == 429, "but no more of them than may be"
                for connection in slow:
                    connection.close()
                time.sleep(0.2)
                assert upload(client).status_code == 200


class TestSlowness:
    def test_a_head_that_trickles_in_is_cut_off(self, strict: Process) -> None:
        sent = 0
        with connect(strict) as connection, suppress(OSError):
            for letter in "GET /healthz HTTP/1.1\r\nX: " + "a" * 100:
                connection.sendall(letter.encode())
                sent += 1
                time.sleep(0.1)
        assert sent < 30

    def test_a_caller_who_says_nothing_is_cut_off(self, strict: Process) -> None:
        with connect(strict) as connection:
            assert read_all(connection) == b""

    def test_a_body_that_stops_coming_is_cut_off(self, strict: Process) -> None:
        with connect(strict) as connection:
            head = "POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n"
            connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x".encode())
            answer = read_all(connection).decode()
        assert answer.startswith("HTTP/1.1 408")
        assert "connection: close" in answer.lower()
        assert "too slowly" in answer

    def test_a_body_that_trickles_in_is_cut_off(self, strict: Process) -> None:
        with connect(strict) as connection:
            head = "POST /api/upload-audience HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n"
            connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
            connection.sendall(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n')
            connection.settimeout(0.2)
            start, answer = time.monotonic(), b""
            while not answer and time.monotonic() - start < 10:
                connection.sendall(b"-")
                try:
                    answer = connection.recv(65536)
                except TimeoutError:
                    continue
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - start > 0.5

    def test_a_body_that_comes_fast_enough_and_never_ends_is_cut_off_in_time(self, strict: Process) -> None:
        least, start = GatewaySettings().least_bytes_per_second, time.monotonic()
        with connect(strict) as connection:
            head = f"POST /api/upload-image HTTP/1.1\r\nHost: x\r\nContent-Length: {200 * least}\r\n"
            connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n".encode())
            connection.sendall(b'--x\r\nContent-Disposition: form-data; name="product_image"; filename="a.png"\r\n\r\n')
            connection.settimeout(0.1)
            answer = b""
            while not answer and time.monotonic() - start < 8:
                connection.sendall(bytes(least))  # ten times as fast as is asked for
                with suppress(TimeoutError):
                    answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert 1.2 < time.monotonic() - start < 8

    def test_a_connection_that_is_not_used_again_is_closed(self, strict: Process) -> None:
        with connect(strict) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = read_all(connection)  # until the gateway closes
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b'{"status":"ok"}')

    def test_above_the_most_connections_callers_are_told(self, running: Parts) -> None:
        with running.another_gateway(GATEWAY_MAX_CONNECTIONS="8") as gateway:
            held = [connect(gateway) for _ in range(8)]
            try:
                with client_of(gateway) as client:
                    refused = client.get("/healthz")
            finally:
                for connection in held:
                    connection.close()
            assert refused.status_code == 503
            eventually(lambda: httpx.get(f"{gateway.url}/healthz", trust_env=False).status_code == 200)

    def test_idle_connections_make_room(self, running: Parts) -> None:
        with running.another_gateway(GATEWAY_MAX_CONNECTIONS="8") as gateway, ExitStack() as stack:
            for _ in range(20):
                connection = stack.enter_context(connect(gateway))
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(65536).startswith(b"HTTP/1.1 200")

    def test_a_connection_outlives_those_of_proxies(self, running: Parts) -> None:
        """A proxy that sent a request on a connection just being closed could not send it again: 502."""
        with closing(HTTPConnection("127.0.0.1", running.gateway.port, timeout=20)) as connection:
            for pause in (0, 6):
                time.sleep(pause)
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b'{"status":"ok"}'
                assert connection.sock is not None, "the gateway keeps it open"

    @pytest.mark.parametrize(
        ("path", "field", "one", "most"),
        [
            ("/api/cut-out", "points", {"x": 1, "y": 1, "on_product": True}, 64),
            ("/api/cut-out", "strokes", {"mask": "iVBORw0KGgo=", "left": 0, "top": 0, "on_product": True}, 64),
            ("/api/compose", "moves", {"size": "300x250", "right": 0, "down": 0, "scale": 1}, 40),
        ],
    )
    def test_lists_in_json_have_an_end(
        self, running: Parts, path: str, field: str, one: dict[str, Any], most: int
    ) -> None:
        with client_of(running.gateway) as client:
            answer = client.post(path, json={field: [one] * (most + 1)})
        assert answer.status_code == 422
        assert field in answer.json()["detail"]
        assert str(most) in answer.json()["detail"]

    def test_a_huge_text_field_is_cut_off(self, strict: Process) -> None:
        with client_of(strict) as client:
            answer = client.post("/api/generate-product", data={"product_name": "x" * 3_000_000}, files={"f": b""})
        assert answer.status_code == 400
        assert "1024KB" in answer.json()["detail"]

    def test_endless_bodies_are_cut_off(self, strict: Process) -> None:
        def endless() -> Iterator[bytes]:
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            while True:
                yield bytes(1 << 16)

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        with client_of(strict) as client:
            try:
                answer = client.post("/api/upload-audience", content=endless(), headers=headers)
                assert answer.status_code == 413
            except httpx.WriteError:
                pass  # the gateway closed the connection while we were still sending, as it should


class TestDeadlines:
    def test_a_stage_that_takes_too_long_is_named(self, running: Parts) -> None:
        with running.another_gateway(GATEWAY_COPY_DEADLINE_SECONDS="0.1") as gateway, client_of(gateway) as client:
            answer = generate(client, upload(client).json())
        assert answer.status_code == 504
        assert answer.json()["detail"].startswith("The copy service took too long")

    def test_a_request_that_takes_too_long_names_where_it_was(self, running: Parts) -> None:
        with running.another_gateway(GATEWAY_REQUEST_DEADLINE_SECONDS="0.75") as gateway, client_of(gateway) as client:
            answer = generate(client, upload(client).json())
        assert answer.status_code == 504
        assert "ended during object_finding" in answer.json()["detail"].replace(" ", "_").replace(
            "during_", "during "
        ).replace("ended_", "ended ")
        # The upload had no results: it was discarded although the deadline had passed.
        assert "upload the photo again" in answer.json()["detail"].lower()
