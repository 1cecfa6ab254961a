"""Calls to a gateway."""

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import aconnect_sse
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay

Body = dict[str, Any]
Tell = Callable[[Body], None]

PATIENCE = 600
"""How long a busy gateway is asked again, in seconds."""
BUSY = (409, 429, 503)
"""The first: a run that was cut off has asked for the same a moment ago, and its work is about to end."""


class GatewayError(Exception):
    """The gateway refused or could not do what was asked; the text says why and what to do.

    Args:
        detail: The text.
        status: The HTTP status; 0: it did not answer.
        retry_after: Seconds after which trying again may work.
    """

    def __init__(self, detail: str, status: int = 0, retry_after: float = 1) -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True)
class Brief:
    """What ads are wanted: the fields of the API, and a picture of one's own as the background."""

    name: str
    describe: str = ""
    audience: str = ""
    sizes: str = ""
    locale: str = ""
    background: Path | None = None


class Client:
    """A gateway.

    Args:
        http: With the gateway's address, and the key it wants.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @property
    def address(self) -> str:
        """The gateway's."""
        return str(self._http.base_url)

    async def upload(self, photo: Path, key: str = "") -> Body:
        """Upload a photo; answers when the product is cut out."""
        files = {"product_image": (photo.name, photo.read_bytes())}
        return await self._json("POST", "/api/upload-image", files=files, headers=_idempotent(key))

    async def cut_again(self, upload: Body, points: list[Body], box: Body | None) -> Body:
        """Cut an uploaded photo again, where the product is said to be."""
        named = {"timestamp": upload["timestamp"], "product_image_filename": upload["filename"]}
        return await self._json("POST", "/api/cut-out", json=named | {"points": points, "box": box})

    async def generate(self, upload: Body, brief: Brief, tell: Tell, key: str = "") -> Body:
        """Make ads of an upload.

        Args:
            upload: As `upload` gave it.
            brief: What is wanted.
            tell: Told of each stage that starts or is done.
            key: The same again with the same key gives the first result.

        Raises:
            GatewayError: They were not made.
        """
        form = {
            "product_name": brief.name,
            "product_describe": brief.describe,
            "target_audience": brief.audience or "不限",
            "product_image_filename": upload["filename"],
            "timestamp": upload["timestamp"],
            "sizes": brief.sizes,
            "locale": brief.locale,
        }
        files = {"background_image": (brief.background.name, brief.background.read_bytes())} if brief.background else {}
        async with (
            _reaching(self.address),
            aconnect_sse(
                self._http, "POST", "/api/generate-product", data=form, files=files, headers=_idempotent(key)
            ) as source,
        ):
            await _check(source.response)
            async for event in source.aiter_sse():
                body: Body = json.loads(event.data)
                if event.event == "progress":
                    tell(body)
                elif event.event == "result":
                    return body
                elif event.event == "error":
                    raise GatewayError(body["detail"], body["status"])
        raise GatewayError("The connection was lost on the way: try again.")

    async def picture(self, path: str) -> bytes:
        """Fetch a picture by a path that another answer holds."""
        return (await self._ask("GET", f"/static/{path}")).content

    async def archive(self, sequence: int) -> bytes:
        """Fetch a record as a zip file."""
        return (await self._ask("GET", f"/api/records/{sequence}/archive")).content

    async def records(self, query: str, most: int) -> list[Body]:
        """Look for records, newest first."""
        found: list[Body] = []
        token = ""
        while True:
            asked = {"query": query, "page_size": min(100, most - len(found)), "page_token": token}
            page = await self._json("GET", "/api/records", params=asked)
            found += page["records"]
            token = page["next_page_token"]
            if not token or len(found) >= most:
                return found

    async def _json(self, method: str, path: str, **options: Any) -> Body:
        answer = await self._ask(method, path, **options)
        try:
            body: Body = answer.json()
        except ValueError:
            raise GatewayError(f"What answers at {self.address} is no gateway.") from None
        return body

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with _reaching(self.address):
            answer = await self._http.request(method, path, **options)
        await _check(answer)
        return answer


def patiently() -> AsyncRetrying:
    """Try what a busy gateway refuses a few times, when it says that it may work."""
    return AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, GatewayError) and error.status in BUSY),
        wait=_as_told,
        stop=stop_after_delay(PATIENCE),
        reraise=True,
    )


def _as_told(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, GatewayError) else 1.0
    return told * random.uniform(0.5, 1.5)  # noqa: S311  # so that those who were refused together do not come together


def _idempotent(key: str) -> Mapping[str, str]:
    return {"Idempotency-Key": key} if key else {}


@asynccontextmanager
async def _reaching(address: str) -> AsyncIterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise GatewayError(f"The gateway at {address} does not answer ({type(error).__name__}).") from None


async def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    await answer.aread()
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The gateway answered {answer.status_code}."
    told = answer.headers.get("Retry-After", "")
    raise GatewayError(detail, answer.status_code, float(told) if told.isdecimal() else 1)
