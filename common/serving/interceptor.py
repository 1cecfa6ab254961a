"""Surrounds every call that a service receives: request id, deadline, log line, errors."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Gauge, Histogram

from common.errors import OverloadedError, to_status
from common.observability.logs import bind_request
from common.observability.metrics import SECONDS
from common.observability.tracing import span
from common.serving.validation import validate
from productimage.context import FOREVER, REQUEST_ID, set_deadline
from productimage.errors import STATUS_DETAILS

log = structlog.get_logger()

RPC_SECONDS = Histogram(
    "productimage_rpc_seconds", "Duration of calls, by status code.", ["method", "code"], buckets=SECONDS
)
RPCS_IN_PROGRESS = Gauge("productimage_rpcs_in_progress", "Calls in progress, queued ones included.")

if TYPE_CHECKING:  # these are generic for the type checker only
    Context = grpc.aio.ServicerContext[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]


WATCH = "/grpc.health.v1.Health/Watch"
MAX_WATCHERS = 128
"""Streams that watch our health at a time: each caller's connection keeps one open."""
MAX_WATCHERS_OF_ONE = 32
"""The same from one address, so that nobody takes all."""


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps the unary and server-streaming methods of our services, and limits watchers of our health.

    Args:
        max_deadline_seconds: Maximum duration of a call, whatever deadline its caller sets.
        max_calls: Maximum concurrent calls; further calls are rejected.
    """

    def __init__(self, max_deadline_seconds: float, max_calls: int) -> None:
        self._max_deadline = max_deadline_seconds
        self._max_calls = max_calls
        self._calls = 0
        self._watchers: Counter[str] = Counter()

    async def intercept_service(  # type: ignore[override]  # typeshed has the handler as always present
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """See grpc.aio.ServerInterceptor."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is not None and method == WATCH:
            return grpc.unary_stream_rpc_method_handler(
                self._watch(handler.unary_stream), handler.request_deserializer, handler.response_serializer
            )
        if handler is None or not method.startswith("/productimage."):
            return handler
        metadata = {key: str(value) for key, value in handler_call_details.invocation_metadata}
        if handler.unary_unary:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(handler.unary_unary, method, metadata),
                handler.request_deserializer,
                handler.response_serializer,
            )
        if handler.unary_stream:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(handler.unary_stream, method, metadata),
                handler.request_deserializer,
                handler.response_serializer,
            )
        return handler

    def _unary(self, behaviour: Any, method: str, metadata: dict[str, str]) -> Any:
        async def call(request: Any, context: "Context") -> Any:
            async with _Call(method, metadata, context, self._max_deadline):
                with self._place():
                    validate(request)
                    return await behaviour(request, context)

        return call

    def _stream(self, behaviour: Any, method: str, metadata: dict[str, str]) -> Any:
        async def call(request: Any, context: "Context") -> AsyncIterator[Any]:
            async with _Call(method, metadata, context, self._max_deadline):
                with self._place():
                    validate(request)
                    async for message in behaviour(request, context):
                        yield message

        return call

    def _watch(self, behaviour: Any) -> Any:
        async def watch(request: Any, context: "Context") -> None:
            peer = context.peer().rpartition(":")[0]
            if self._watchers.total() >= MAX_WATCHERS or self._watchers[peer] >= MAX_WATCHERS_OF_ONE:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "Too many watchers.")
            self._watchers[peer] += 1
            try:
                await behaviour(request, context)
            finally:
                self._watchers[peer] -= 1
                self._watchers += Counter()  # forgets those that have none

        return watch

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._calls >= self._max_calls:
            raise OverloadedError("The service is busy: try again in a few seconds.")
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1


class _Call:
    """One call, from its metadata to its status."""

    def __init__(self, method: str, metadata: dict[str, str], context: "Context", max_deadline: float) -> None:
        self._method = method.rpartition("/")[2]
        self._caller_id = metadata.get(REQUEST_ID)
        self._span = span(method.removeprefix("/"), SpanKind.SERVER, caller=metadata)
        self._context = context
        remaining = context.time_remaining()
        self._timeout = asyncio.timeout(max_deadline if remaining is None else min(remaining, max_deadline))

    async def __aenter__(self) -> None:
        self._span.__enter__()
        self._request_id = bind_request(self._caller_id)
        self._start = time.perf_counter()
        RPCS_IN_PROGRESS.inc()
        await self._timeout.__aenter__()
        set_deadline(self._timeout.when() or FOREVER)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with ExitStack() as stack:
            stack.push(self._span)
            await self._end(kind, error, trace)

    async def _end(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            error = timeout
        RPCS_IN_PROGRESS.dec()
        seconds = time.perf_counter() - self._start
        if error is None:
            self._log("OK", seconds)
        elif isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._log("CANCELLED", seconds)
        else:
            await self._abort(error, seconds)

    def _log(self, code: str, seconds: float, **more: Any) -> None:
        RPC_SECONDS.labels(self._method, code).observe(seconds)
        write = log.error if code == grpc.StatusCode.INTERNAL.name else log.info
        write("call", method=self._method, code=code, seconds=round(seconds, 3), **more)

    async def _abort(self, error: BaseException, seconds: float) -> None:
        code, status = to_status(error, self._request_id)
        more = {"exc_info": error} if code is grpc.StatusCode.INTERNAL else {"message": status.message}
        self._log(code.name, seconds, **more)
        details = ((STATUS_DETAILS, status.SerializeToString()),)
        await self._context.abort(code, status.message, trailing_metadata=details)
