"""Runs a pipeline for a caller who waits, or for one who listens: `Accept: text/event-stream` asks for events.

`progress` for each stage that starts or is done, then one `result` or one `error`; comments keep the line open. A
caller who hangs up ends the pipeline.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel

from gateway.errors import as_api_error
from gateway.pipelines.journal import Journal, Progress
from gateway.settings import GatewaySettings
from services.runtime.work import set_deadline

Pipeline = Callable[[Journal], Awaitable[BaseModel]]
EVENT_STREAM = "text/event-stream"
EXAMPLE = (
    'event: progress\ndata: {"name": "copy", "state": "done", "engine": "templates", "elapsed_seconds": 0.01,'
    ' "fraction": 0.25}\n\nevent: result\ndata: {}\n\n'
)
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}}}
}
"""For the description of routes that answer so."""

_running: "set[asyncio.Task[BaseModel]]" = set()
"""Pipelines whose callers have gone, too, until they have ended."""


async def run_pipeline(request: Request, pipeline: Pipeline, settings: GatewaySettings) -> Response:
    """Run a pipeline and give what it makes, or the events of its making."""
    if EVENT_STREAM not in request.headers.get("accept", ""):
        made = await _in_time(pipeline, Journal(), settings)
        return Response(_body(made), media_type="application/json")
    return EventSourceResponse(
        _events(pipeline, settings),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _in_time(pipeline: Pipeline, journal: Journal, settings: GatewaySettings) -> BaseModel:
    """Run a pipeline whose calls all share one deadline."""
    set_deadline(time.monotonic() + settings.request_deadline_seconds)
    return await pipeline(journal)


async def _events(pipeline: Pipeline, settings: GatewaySettings) -> AsyncIterator[bytes]:
    news: asyncio.Queue[Progress | None] = asyncio.Queue()
    task = asyncio.ensure_future(_in_time(pipeline, Journal(news.put_nowait), settings))
    _running.add(task)
    task.add_done_callback(_running.discard)
    task.add_done_callback(lambda _: news.put_nowait(None))
    try:
        while True:
            try:
                async with asyncio.timeout(settings.keep_alive_seconds):
                    progress = await news.get()
            except TimeoutError:
                yield KEEPALIVE_COMMENT
                continue
            if progress is None:
                break
            yield format_sse_event(event="progress", data_str=json.dumps(asdict(progress)))
        yield _last(task)
    finally:
        task.cancel()


def _last(task: "asyncio.Future[BaseModel]") -> bytes:
    try:
        return format_sse_event(event="result", data_str=_body(task.result()))
    except Exception as error:  # noqa: BLE001  # the status has been sent: this is the only way left to tell
        known = as_api_error(error)
        body = {"status": known.status, **known.body}
        return format_sse_event(event="error", data_str=json.dumps(body, ensure_ascii=False))


def _body(made: BaseModel) -> str:
    return made.model_dump_json(exclude_none=True)
