"""Admission control: heavy requests above a limit are rejected at once, and cheap ones never wait for them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response

BUSY = "We are at capacity: try again in a few seconds."


class _Places:
    """A limited number of places."""

    def __init__(self, number: int) -> None:
        self._free = number

    def check(self) -> None:
        if self._free <= 0:
            raise HTTPException(429, BUSY)

    @contextmanager
    def taken(self) -> Iterator[None]:
        self.check()
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class Admission:
    """Limits the requests to each heavy route that are worked on, and those whose bodies are still arriving.

    A request takes its place when its body has arrived, so that slow senders keep nobody from working. While all places
    are taken, no body is read.

    Args:
        app: The app.
        working: Maximum concurrent requests, by path of a POST.
        receiving: Maximum bodies of such requests that are arriving.
    """

    def __init__(self, app: ASGIApp, working: Mapping[str, int], receiving: int) -> None:
        self._app = app
        self._working = {path: _Places(number) for path, number in working.items()}
        self._receiving = _Places(receiving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        working = self._working.get(scope.get("path", ""))
        if scope["type"] != "http" or scope["method"] != "POST" or working is None:
            await self._app(scope, receive, send)
            return
        with ExitStack() as body, ExitStack() as work:
            try:
                working.check()
                body.enter_context(self._receiving.taken())
            except HTTPException as refusal:
                await error_response(refusal.status_code, refusal.detail)(scope, receive, send)
                return
            whole = False

            async def receive_admitted() -> Message:
                nonlocal whole
                message = await receive()
                if not whole and not message.get("more_body", False):
                    whole = True
                    body.close()
                    work.enter_context(working.taken())
                return message

            await self._app(scope, receive_admitted, send)
