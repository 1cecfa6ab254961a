"""Limits on request bodies, one table for all routes: type, size, time and rate."""

import asyncio
import time
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response
from gateway.settings import GatewaySettings

CLOSE = {"Connection": "close"}
"""Nothing more is read from this connection: the rest of the body would be taken for the next request."""
BODILESS = ("GET", "HEAD", "OPTIONS", "DELETE")
"""Methods whose bodies are never read."""
TOO_SLOW = "The request arrived too slowly: try again, with a smaller picture if your connection is slow."
MULTIPART = "multipart/form-data"
MAX_BRAND_BYTES = 2**20
"""Twice the largest logo that the history takes."""


@dataclass(frozen=True)
class _Kind:
    """What a route accepts.

    Attributes:
        types: Media types.
        max_bytes: Maximum size of a body.
        too_large: What callers are told about a larger one.
    """

    types: tuple[str, ...]
    max_bytes: int
    too_large: str


def kinds(settings: GatewaySettings) -> dict[str, _Kind]:
    """Return what each route accepts, by its path, or by its folder for paths that end in a name."""
    picture = f"The file is larger than {settings.max_image_bytes // 2**20} MB: send a smaller one."
    listed = f"The list is larger than {settings.max_list_bytes // 2**20} MB: send it in parts."
    short = f"The request is larger than {settings.max_json_bytes // 2**10} kB."
    forms = (MULTIPART, "application/x-www-form-urlencoded")
    return {
        "/api/upload-image": _Kind(forms, settings.max_form_bytes, picture),
        "/api/generate-product": _Kind(forms, settings.max_form_bytes, picture),
        "/api/upload-audience": _Kind(forms, settings.max_list_bytes, listed),
        "/api/brands/": _Kind(
            forms, MAX_BRAND_BYTES, f"A brand kit is larger than {MAX_BRAND_BYTES // 2**20} MB: make its logo smaller."
        ),
        "/api/cut-out": _Kind(("application/json",), settings.max_json_bytes, short),
        "/api/compose": _Kind(("application/json",), settings.max_json_bytes, short),
    }


class BodyLimits:
    """Rejects bodies of another type (415), too large (413) or too slow (408).

    A body with a Content-Length is rejected at once, any other as soon as it exceeds the limit.

    Args:
        app: The app.
        settings: The limits.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        self._kinds = kinds(settings)
        self._other = _Kind((), settings.max_json_bytes, "The request is too large.")
        self._silence = settings.silence_seconds
        self._whole = settings.body_seconds
        self._least_rate = settings.least_bytes_per_second

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        folder = scope["path"].rpartition("/")[0] + "/"
        kind = self._kinds.get(scope["path"]) or self._kinds.get(folder, self._other)
        refusal = _refusal(Headers(scope=scope), kind)
        if refusal is None:
            await self._app(scope, self._limited(receive, kind), send)
        else:
            await error_response(refusal.status_code, refusal.detail, CLOSE)(scope, receive, send)

    def _limited(self, receive: Receive, kind: _Kind) -> Receive:
        received, more, start = 0, True, time.monotonic()

        async def receive_within() -> Message:
            nonlocal received, more
            if not more:  # the next message is the disconnect
                return await receive()
            try:
                async with asyncio.timeout(self._patience(time.monotonic() - start, received)):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, CLOSE) from None
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
            if received > kind.max_bytes:
                raise HTTPException(413, kind.too_large, CLOSE)
            return message

        return receive_within

    def _patience(self, elapsed: float, received: int) -> float:
        """Return how long to wait for the next part, in seconds: what arrived so far earns time at the least rate."""
        earned = self._silence + received / self._least_rate
        return min(self._silence, self._whole - elapsed, earned - elapsed)


def _refusal(headers: Headers, kind: _Kind) -> HTTPException | None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.types and media_type and media_type not in kind.types:
        return HTTPException(415, f"Send the request as {kind.types[0]}, not as {media_type[:60]}.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        return HTTPException(415, "Send the request uncompressed: without Content-Encoding.")
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > kind.max_bytes:
        return HTTPException(413, kind.too_large)
    return None
