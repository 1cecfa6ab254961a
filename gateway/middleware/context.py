"""Context of every request: its id, its log line, and a response to unexpected errors."""

import time
from functools import cache

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common.observability.logs import bind_request
from common.observability.metrics import SECONDS
from common.observability.tracing import is_on, span
from gateway.errors import ResponseCutOffError, error_response, internal_error_detail
from productimage.context import REQUEST_ID

log = structlog.get_logger()

REQUEST_SECONDS = Histogram(
    "productimage_request_seconds",
    "Duration of requests until their responses were sent, by status.",
    ["method", "route", "status"],
    buckets=SECONDS,
)

HEADER = REQUEST_ID.encode()
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")
QUIET = ("/healthz", "/readyz")
"""Polled every few seconds; not logged."""


class RequestContext:
    """Binds the request id, returns it in a header, logs the outcome, and handles unexpected errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not is_on() or scope["path"] in QUIET:
            await self._serve(scope, receive, send)
            return
        headers = dict(Headers(scope=scope).items())
        with span(f"HTTP {scope['method']}", SpanKind.SERVER, caller=headers, path=scope["path"]):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = bind_request(Headers(scope=scope).get(REQUEST_ID))
        start, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ResponseCutOffError as error:  # uvicorn closes the connection, so the caller sees that bytes are missing
            log.warning("response cut off", path=scope["path"], code=error.code)
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not status:
                await error_response(500, internal_error_detail())(scope, receive, send_with_id)
        seconds = time.perf_counter() - start
        method = scope["method"] if scope["method"] in METHODS else "other"  # callers can invent any number of methods
        _histogram(method, _route_of(scope), status).observe(seconds)
        if scope["path"] not in QUIET:
            log.info("request", method=scope["method"], path=scope["path"], status=status, seconds=round(seconds, 3))


@cache
def _histogram(method: str, route: str, status: int) -> Histogram:
    return REQUEST_SECONDS.labels(method, route, status)


def _route_of(scope: Scope) -> str:
    """Return the path of the route, with named parameters, of which there are few."""
    return getattr(scope.get("route"), "path", "none")
