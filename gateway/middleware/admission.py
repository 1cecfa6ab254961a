"""Admission control: heavy requests above a limit are rejected at once, and cheap ones never wait for them."""

import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.counters import Counters
from gateway.errors import error_response
from gateway.middleware.access import caller_of
from gateway.settings import GatewaySettings

BUSY = "We are at capacity: try again in a few seconds."
BUSY_TOGETHER = "All gateways together are at capacity, or you have your share of it: try again in a few seconds."
BUSY_WITH_YOU = "You have as many requests in progress as one caller may have: try again in a few seconds."
DOWNLOAD = re.compile(r"/static/.+|/api/history|/api/records/[^/]+/archive")
"""Paths whose responses are long: their readers decide how long they take."""


class _Places:
    """A limited number of places, of which one caller gets a part only.

    Args:
        number: Number of places.
        share: Part of them that one caller may take, 0 to 1.
    """

    def __init__(self, number: int, share: float) -> None:
        self._free = number
        self._share = math.ceil(number * share)
        self._taken: Counter[str] = Counter()

    def refusal(self, caller: str) -> str:
        """Return why a caller gets no place; empty if it does."""
        if self._free <= 0:
            return BUSY
        return BUSY_WITH_YOU if self._taken[caller] >= self._share else ""

    @contextmanager
    def taken(self, caller: str) -> Iterator[None]:
        refusal = self.refusal(caller)
        if refusal:
            raise HTTPException(429, refusal)
        self._free -= 1
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._free += 1
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]


GENERATE = "/api/generate-product"
REPLAY = re.compile(r"/api/records/\d+/replay")
"""It takes as much work as a generation, and its place."""


class Admission:
    """Limits the requests to each heavy route that are worked on, those whose bodies are still arriving, and downloads.

    A request takes its place when its body has arrived, so that slow senders keep nobody from working. While all places
    are taken, no body is read. A download has its place until its last byte is sent.

    Args:
        app: The app.
        settings: The limits.
        counters: Where generations are counted that all gateways together work on.
    """

    def __init__(self, app: ASGIApp, settings: GatewaySettings, counters: Counters) -> None:
        self._app = app
        self._counters = counters
        self._most_together = settings.max_generations_together
        self._share_together = math.ceil(settings.max_generations_together * settings.max_share)
        generations = self._generations = _Places(settings.max_generations, settings.max_share)
        uploads, recuts, lists = (_Places(settings.max_uploads, settings.max_share) for _ in range(3))
        self._working = {
            GENERATE: generations,
            "/api/compose": generations,
            "/api/upload-image": uploads,
            "/api/cut-out": recuts,
            "/api/upload-audience": lists,
        }
        self._receiving = _Places(settings.max_receiving, settings.max_share)
        self._downloads = _Places(settings.max_downloads, settings.max_share)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path, is_post = scope["path"], scope["method"] == "POST"
        working = self._working.get(GENERATE if is_post and REPLAY.fullmatch(path) else path)
        if working is not None and is_post:
            await self._work(working, scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and DOWNLOAD.fullmatch(scope["path"]):
            await self._download(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _download(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        refusal = self._downloads.refusal(caller)
        if refusal:
            await error_response(429, refusal)(scope, receive, send)
            return
        with self._downloads.taken(caller):
            await self._app(scope, receive, send)

    async def _work(self, working: _Places, scope: Scope, receive: Receive, send: Send) -> None:
        caller = caller_of(scope)
        refusal = working.refusal(caller) or self._receiving.refusal(caller)
        if refusal:
            await error_response(429, refusal)(scope, receive, send)
            return
        async with AsyncExitStack() as work:
            body = work.enter_context(ExitStack())
            body.enter_context(self._receiving.taken(caller))
            whole = False

            async def receive_admitted() -> Message:
                nonlocal whole
                message = await receive()
                if not whole and not message.get("more_body", False):
                    whole = True
                    body.close()
                    work.enter_context(working.taken(caller))
                    if working is self._generations and self._most_together:
                        await work.enter_async_context(self._together(caller))
                return message

            await self._app(scope, receive_admitted, send)

    @asynccontextmanager
    async def _together(self, caller: str) -> AsyncIterator[None]:
        """Hold a place among the generations of all gateways."""
        place = await self._counters.take("generations", caller, self._most_together, self._share_together)
        if place is None:
            raise HTTPException(429, BUSY_TOGETHER)
        try:
            yield
        finally:
            await self._counters.release(place)
