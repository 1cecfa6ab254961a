"""Runs a pipeline for a request: once per Idempotency-Key, and as one response or as a stream of events.

`Accept: text/event-stream` streams `progress` for each stage that starts or finishes, then one `result` or one `error`;
comments keep the line open. If the client disconnects, the pipeline is cancelled, whichever kind of response it waits
for.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel

from gateway.errors import as_api_error
from gateway.middleware.access import owner_of
from gateway.models import RecordBody, UploadBody
from gateway.pipelines.idempotency import fingerprint, idempotent
from gateway.pipelines.run import Progress, ProgressEvent, Run
from gateway.state import Gateway
from productimage.context import set_deadline
from productimage.record.v1 import record_pb2
from productimage.upload.v1 import upload_pb2

Result = record_pb2.Record | upload_pb2.Upload
EVENT_STREAM = "text/event-stream"
EXAMPLE = (
    'event: progress\ndata: {"name": "copy", "state": "done", "engine": "templates", "elapsed_seconds": 0.01,'
    ' "fraction": 0.25}\n\nevent: result\ndata: {}\n\n'
)
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}}}
}
"""For the OpenAPI description of routes that stream events."""

CLIENT_CLOSED_REQUEST = 499
"""Status in the log for a request whose client has disconnected; nobody receives it."""

_running: "set[asyncio.Task[BaseModel]]" = set()
"""Keeps pipelines alive until they have ended: the event loop holds only weak references."""


@dataclass(frozen=True)
class Job:
    """A pipeline to run for a request.

    Attributes:
        pipeline: The pipeline.
        key: Idempotency key of the caller; empty: none.
        parts: Everything the request asks for, for its fingerprint.
    """

    pipeline: Callable[[Run], Awaitable[Result]]
    key: str = ""
    parts: tuple[str | bytes, ...] = ()


async def respond(request: Request, gateway: Gateway, job: Job) -> Response:
    """Run a job; return its result, or the events on the way to it."""
    owner = owner_of(request.scope)
    if EVENT_STREAM not in request.headers.get("accept", ""):
        return await unless_disconnected(request, _execute(job, gateway, owner, Progress()))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventSourceResponse(_events(job, gateway, owner), headers=headers)


async def _execute(job: Job, gateway: Gateway, owner: str, progress: Progress) -> BaseModel:
    """Run a job under one deadline for all of its calls."""
    set_deadline(time.monotonic() + gateway.settings.request_deadline_seconds)
    digest = await gateway.executor.run(fingerprint, *job.parts) if job.key else ""
    async with idempotent(owner, job.key, digest, gateway.clients.records) as claimed:
        result = claimed.result
        if result is None:
            run = Run(
                gateway.clients,
                gateway.settings,
                gateway.executor,
                claimed.request_id,
                owner,
                gateway.budgets,
                gateway.seeds,
                progress,
            )
            result = await job.pipeline(run)
    return RecordBody.of(result) if isinstance(result, record_pb2.Record) else UploadBody.of(result)


def _started(work: Coroutine[Any, Any, BaseModel]) -> "asyncio.Task[BaseModel]":
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, BaseModel]) -> Response:
    """Return the result of some work, which is cancelled when the client disconnects."""
    task = _started(work)
    gone = asyncio.create_task(_disconnection(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return Response(_json(task.result()), media_type="application/json")
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        gone.cancel()
        task.cancel()


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(job: Job, gateway: Gateway, owner: str) -> AsyncIterator[bytes]:
    events: asyncio.Queue[ProgressEvent | None] = asyncio.Queue()
    task = _started(_execute(job, gateway, owner, Progress(events.put_nowait)))
    task.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while True:
            try:
                async with asyncio.timeout(gateway.settings.keep_alive_seconds):
                    event = await events.get()
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            if event is None:
                break
            yield format_sse_event(event="progress", data_str=json.dumps(asdict(event)))
        yield _last(task)
    finally:
        task.cancel()


def _last(task: "asyncio.Future[BaseModel]") -> bytes:
    try:
        return format_sse_event(event="result", data_str=_json(task.result()))
    except Exception as error:  # noqa: BLE001  # the status has been sent: only an event can report it now
        known = as_api_error(error)
        body = {"status": known.status, **known.body}
        return format_sse_event(event="error", data_str=json.dumps(body, ensure_ascii=False))


def _json(body: BaseModel) -> str:
    return body.model_dump_json(exclude_none=True)
