"""What happens around every request: its id, its log line, the limit on its body, and errors that nobody foresaw."""

import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response, internal_error_detail
from services.runtime.telemetry import REQUEST_ID, bind_request

log = structlog.get_logger()

QUIET = ("/healthz", "/readyz")
"""Asked for every few seconds by what runs us; not worth a line each."""


class RequestContext:
    """Binds the request's id, gives it back in a header, logs the outcome, and answers 500 with a fixed text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = bind_request(Headers(scope=scope).get(REQUEST_ID))
        start, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if status:  # the answer is on its way already: only cutting it off can tell the caller
                raise
            await error_response(500, internal_error_detail())(scope, receive, send_with_id)
        if scope["path"] not in QUIET:
            seconds = round(time.perf_counter() - start, 3)
            log.info("request", method=scope["method"], path=scope["path"], status=status, seconds=seconds)


class BodyLimit:
    """Refuses bodies over a limit: by the announced length at once, else as soon as too much has come.

    Args:
        app: What is behind.
        max_bytes: The limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"The file is larger than {self._max_bytes // 2**20 - 1} MB: send a smaller one."
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._max_bytes:
            await error_response(413, detail)(scope, receive, send)
            return
        received = 0

        async def receive_within() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, receive_within, send)
