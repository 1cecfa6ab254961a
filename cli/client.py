"""REST client of a gateway."""

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import aconnect_sse
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_before_delay

Body = dict[str, Any]
Tell = Callable[[Body], None]

EVERYBODY = "不限"
"""Audience of a brief that names none; one of the gateway's own audience tags."""
PATIENCE = 600
"""Time for which requests to a busy gateway are retried, in seconds. One that asks for more, such as a budget that is
spent, is not waited for."""
PASSING = (0, 409, 429, 502, 503, 504)
"""Statuses to retry. 0: nobody answers, as while a gateway restarts. 409: an interrupted run requested the same a
moment ago, and its work is about to end."""


OPTIONS = (
    *("texts", "headline", "call_to_action", "price", "legal", "layout", "brand", "format"),
    *("scene", "avoid", "style"),
)
"""Fields of a brief that the API calls the same, and that may be left out."""


class GatewayError(Exception):
    """A request failed. The text says why and what to do.

    Args:
        detail: The text.
        status: HTTP status; 0 if the gateway did not respond.
        retry_after: Seconds after which a retry may succeed.
        body: Body of the response.
    """

    def __init__(self, detail: str, status: int = 0, retry_after: float = 1, body: Body | None = None) -> None:
        super().__init__(detail)
        self.body = body or {}
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True)
class Brief:
    """What ads to make: the fields of the API, and a picture of one's own as the background."""

    name: str
    describe: str = ""
    audience: str = ""
    sizes: str = ""
    locale: str = ""
    background: Path | None = None
    texts: str = ""
    headline: str = ""
    call_to_action: str = ""
    price: str = ""
    legal: str = ""
    layout: str = ""
    brand: str = ""
    format: str = ""
    scene: str = ""
    avoid: str = ""
    style: str = ""

    @property
    def options(self) -> dict[str, str]:
        """The fields of OPTIONS that are filled in."""
        return {name: getattr(self, name) for name in OPTIONS if getattr(self, name)}


class Client:
    """A gateway.

    Args:
        http: HTTP client with the address of the gateway and the API key.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @property
    def address(self) -> str:
        """Address of the gateway."""
        return str(self._http.base_url)

    async def upload(self, photo: Path, key: str = "") -> Body:
        """Upload a photo; returns when the product is cut out."""
        files = {"product_image": (photo.name, photo.read_bytes())}
        return await self._json("POST", "/api/upload-image", files=files, headers=_idempotent(key))

    async def recut(self, upload: Body, prompt: Body) -> Body:
        """Cut an uploaded photo out again, by points or a box; see RecutBody."""
        named = {"timestamp": upload["timestamp"], "product_image_filename": upload["filename"]}
        return await self._json("POST", "/api/cut-out", json=named | prompt)

    async def generate(self, upload: Body, brief: Brief, tell: Tell, key: str = "") -> Body:
        """Make ads of an upload.

        Args:
            upload: Result of `upload`.
            brief: What ads to make.
            tell: Called for each stage that starts or finishes.
            key: Idempotency key: repeating the request returns the original result.

        Raises:
            GatewayError: The ads were not made.
        """
        form = {
            "product_name": brief.name,
            "product_describe": brief.describe,
            "target_audience": brief.audience or EVERYBODY,
            "product_image_filename": upload["filename"],
            "timestamp": upload["timestamp"],
            "sizes": brief.sizes,
            "locale": brief.locale,
            **brief.options,
        }
        files = {"background_image": (brief.background.name, brief.background.read_bytes())} if brief.background else {}
        async with (
            _translated(self.address),
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
        raise GatewayError("The connection was lost: try again.")

    async def estimate(self, brief: Brief) -> Body:
        """Return what the ads of a brief cost."""
        fields = {"product_name": brief.name, "product_describe": brief.describe, "locale": brief.locale}
        more = {"sizes": brief.sizes, "own_background": brief.background is not None, "target_audience": brief.audience}
        more |= {name: brief.options.get(name, "") for name in ("texts", "layout", "format", "style")}
        return await self._json("POST", "/api/estimate", json=fields | more)

    async def compose(self, change: Body) -> Body:
        """Make a variant of a record; see RecomposeBody."""
        return await self._json("POST", "/api/compose", json=change)

    async def replay(self, number: int) -> Body:
        """Make a record again, and return how each stage compares."""
        return await self._json("POST", f"/api/records/{number}/replay")

    async def picture(self, path: str) -> bytes:
        """Fetch a picture by a path from another response."""
        return (await self._ask("GET", f"/static/{path}")).content

    async def archive(self, sequence: int) -> bytes:
        """Fetch a record as a zip file."""
        return (await self._ask("GET", f"/api/records/{sequence}/archive")).content

    async def delete(self, sequence: int) -> None:
        """Delete a record with its ads."""
        await self._ask("DELETE", f"/api/records/{sequence}")

    async def records(self, query: str, most: int, **conditions: str) -> list[Body]:
        """Search the records, newest first; the conditions are those of `GET /api/records`."""
        found: list[Body] = []
        token = ""
        while True:
            asked = {"query": query, **conditions, "page_size": min(100, most - len(found)), "page_token": token}
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
            raise GatewayError(f"{self.address} is not a Product Image Generator gateway.") from None
        return body

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with _translated(self.address):
            answer = await self._http.request(method, path, **options)
        await _check(answer)
        return answer


def with_patience() -> AsyncRetrying:
    """Retry requests that a gateway is too busy for, after the time it names, or away for."""
    return AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, GatewayError) and error.status in PASSING),
        wait=_retry_wait,
        stop=stop_before_delay(PATIENCE),
        reraise=True,
    )


def _retry_wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    told = error.retry_after if isinstance(error, GatewayError) else 1.0
    return told * random.uniform(0.5, 1.5)  # noqa: S311  # so that clients rejected together do not return together


def _idempotent(key: str) -> Mapping[str, str]:
    return {"Idempotency-Key": key} if key else {}


@asynccontextmanager
async def _translated(address: str) -> AsyncIterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        raise GatewayError(f"The gateway at {address} does not respond ({type(error).__name__}).") from None


async def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    await answer.aread()
    body: Body = {}
    try:
        body = answer.json()
        detail = str(body["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"The gateway responded with status {answer.status_code}."
    told = answer.headers.get("Retry-After", "")
    raise GatewayError(detail, answer.status_code, float(told) if told.isdecimal() else 1, body)
