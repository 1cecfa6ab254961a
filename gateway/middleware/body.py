"""Limits on request bodies: size and time."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response

CLOSE = {"Connection": "close"}
"""Nothing more is read from this connection: the rest of the body would be taken for the next request."""
BODILESS = ("GET", "HEAD", "OPTIONS")
"""Methods whose bodies are never read."""
TOO_SLOW = "The request arrived too slowly: try again, with a smaller picture if your connection is slow."


class BodyLimits:
    """Rejects bodies that are too large (413) or too slow (408).

    A body with a Content-Length is rejected at once, any other as soon as it exceeds the limit.

    Args:
        app: The app.
        max_bytes: Maximum size of a body.
        silence_seconds: Idle timeout.
        whole_seconds: Timeout for the whole body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, silence_seconds: float, whole_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._silence = silence_seconds
        self._whole = whole_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] in BODILESS:
            await self._app(scope, receive, send)
            return
        detail = f"The file is larger than {self._max_bytes // 2**20 - 1} MB: send a smaller one."
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced) > self._max_bytes:
            await error_response(413, detail, CLOSE)(scope, receive, send)
            return
        received, more, until = 0, True, time.monotonic() + self._whole

        async def receive_within() -> Message:
            nonlocal received, more
            if not more:  # the next message is the disconnect
                return await receive()
            try:
                async with asyncio.timeout(min(self._silence, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, CLOSE) from None
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
            if received > self._max_bytes:
                raise HTTPException(413, detail, CLOSE)
            return message

        await self._app(scope, receive_within, send)
