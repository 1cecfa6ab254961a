"""Around every request: its id, its log line, and an answer to errors that nobody foresaw."""

import time
from functools import cache

import structlog
from grpc.aio import AioRpcError
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response, internal_error_detail
from services.runtime.metrics import SECONDS
from services.runtime.telemetry import REQUEST_ID, bind_request
from services.runtime.tracing import is_on, span

log = structlog.get_logger()

REQUEST_SECONDS = Histogram(
    "productimage_request_seconds",
    "How long requests took until their answers were sent, by how they were answered.",
    ["method", "route", "status"],
    buckets=SECONDS,
)

METHODS = ("GET", "HEAD", "OPTIONS", "POST")
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
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except AioRpcError as error:  # a stream that broke: the answer is on its way, and uvicorn cuts it off
            log.warning("answer cut off", path=scope["path"], code=error.code().name)
        except Exception:
            log.exception("request failed", method=scope["method"], path=scope["path"])
            if not status:
                await error_response(500, internal_error_detail())(scope, receive, send_with_id)
        seconds = time.perf_counter() - start
        method = scope["method"] if scope["method"] in METHODS else "other"  # callers may invent any number of them
        _histogram(method, _route_of(scope), status).observe(seconds)
        if scope["path"] not in QUIET:
            log.info("request", method=scope["method"], path=scope["path"], status=status, seconds=round(seconds, 3))


@cache
def _histogram(method: str, route: str, status: int) -> Histogram:
    return REQUEST_SECONDS.labels(method, route, status)


def _route_of(scope: Scope) -> str:
    """Give the route's path with its parameters by name: there are few of those."""
    return getattr(scope.get("route"), "path", "none")
