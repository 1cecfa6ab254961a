"""Simulated users that send random requests and log each one with its responses."""

import random
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.pipelines.idempotency import fingerprint
from testing.pictures import encoded, gradient
from testing.system import FORM

PATIENCE_SECONDS = 20
TO_BE_SENT_AGAIN = (409, 429, 503, 504)
PHOTO = encoded(gradient(64, 48))


@dataclass
class Operation:
    """A request, retried until it got a final response.

    Attributes:
        client: Number of the client.
        kind: "upload", "generate", "list", "picture", "delete" (a record) or "drop" (an upload with its records).
        key: Idempotency key; empty means none.
        about: Timestamp of the upload, path of the picture, or request_id of the record.
        started: Time of the first attempt, in seconds of the monotonic clock.
        ended: Time when the last attempt ended, in the same seconds.
        tries: Status or error name of each attempt; the last one counts.
        answer: Last body: parsed JSON, or the bytes of a picture.
    """

    client: int
    kind: str
    key: str
    about: str
    started: float
    ended: float
    tries: list[str]
    answer: Any

    @property
    def acknowledged(self) -> bool:
        """Whether it succeeded."""
        return self.tries[-1] in ("200", "204")

    @property
    def request_id(self) -> str:
        """Id of the request in records."""
        return f"key-{fingerprint(self.key)}"


class Client(threading.Thread):
    """A user whose browser retries requests without a final response.

    Args:
        number: Number of the client.
        seed: Seed of the run; with the number, it determines the requests.
        gateways: Base URLs of the gateways.
        stop: Set to end the client.
    """

    def __init__(self, number: int, seed: int, gateways: Sequence[str], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.operations: list[Operation] = []
        self._number = number
        self._random = random.Random(f"{seed}/{number}")
        self._gateways = gateways
        self._stop_event = stop
        self._uploads: list[dict[str, str]] = []
        self._made: list[dict[str, Any]] = []

    def run(self) -> None:
        """Send random requests one after another until stopped."""
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as http:
            while not self._stop_event.is_set():
                self._do_something(http)

    def _do_something(self, http: httpx.Client) -> None:
        chance = self._random.random()
        if chance < 0.3 or not self._uploads:
            self._upload(http)
        elif chance < 0.75:
            self._generate(http, self._random.choice(self._uploads[-4:]))
        elif chance < 0.85 or not self._made:
            self._send(http, "list", "GET", "/api/history")
        elif chance < 0.88 and len(self._uploads) > 1:
            self._drop(http, self._uploads.pop(self._random.randrange(len(self._uploads)))["timestamp"])
        elif chance < 0.92:
            doomed = self._made.pop(self._random.randrange(len(self._made)))
            self._send(http, "delete", "DELETE", f"/api/records/{doomed['sequence']}", about=doomed["request_id"])
        else:
            path = self._random.choice(self._random.choice(self._made)["generated_images"])
            self._send(http, "picture", "GET", f"/static/{path}", about=path)

    def _upload(self, http: httpx.Client) -> None:
        done = self._send(http, "upload", "POST", "/api/upload-image", files={"product_image": ("a.png", PHOTO)})
        if done.acknowledged:
            self._uploads.append(done.answer)

    def _generate(self, http: httpx.Client, upload: dict[str, str]) -> None:
        form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
        done = self._send(http, "generate", "POST", "/api/generate-product", about=upload["timestamp"], data=form)
        if done.acknowledged:
            self._made.append(done.answer)
        elif done.tries[-1] == "404":
            self._uploads.remove(upload)

    def _drop(self, http: httpx.Client, timestamp: str) -> None:
        self._send(http, "drop", "DELETE", f"/api/uploads/{timestamp}", about=timestamp)
        self._made = [made for made in self._made if not made["product_image_filename"].startswith(timestamp)]

    def _send(
        self, http: httpx.Client, kind: str, method: str, path: str, *, about: str = "", **request: Any
    ) -> Operation:
        """Send a request until it gets a final response or the run ends."""
        key = uuid.UUID(int=self._random.getrandbits(128)).hex if method == "POST" else ""
        headers = {"Idempotency-Key": key} if key else {}
        done = Operation(self._number, kind, key, about, time.monotonic(), 0, [], None)
        while True:
            try:
                answer = http.request(method, self._random.choice(self._gateways) + path, headers=headers, **request)
                done.tries.append(str(answer.status_code))
                is_json = answer.content and "json" in answer.headers.get("content-type", "")
                done.answer = answer.json() if is_json else answer.content
            except (httpx.HTTPError, ValueError) as error:
                done.tries.append(type(error).__name__)
            done.ended = time.monotonic()
            final = done.tries[-1].isdigit() and int(done.tries[-1]) not in TO_BE_SENT_AGAIN
            if final or self._stop_event.is_set():
                break
            self._stop_event.wait(self._random.uniform(0.05, 0.3))
        self.operations.append(done)
        return done
