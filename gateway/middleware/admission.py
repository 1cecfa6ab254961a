"""How much is worked on at one time: heavy requests beyond it are refused at once, cheap ones never wait for them."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import error_response

BUSY = "Too much is being worked on at this moment: try again in a few seconds."


class _Places:
    """A number of places; whoever finds none is sent away."""

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
    """Bounds the requests to each heavy route that are worked on, and those whose bodies are still coming.

    A request takes its place at work when its body is there, so that slow senders keep nobody from working; while all
    those places are taken, none is even read.

    Args:
        app: What is behind.
        working: How many requests are worked on at one time, by the path of a POST.
        receiving: How many bodies of such requests may be on their way.
    """

    def __init__(self, app: ASGIApp, working: Mapping[str, int], receiving: int) -> None:
        self._app = app
        self._working = {path: _Places(number) for path, number in working.items()}
        self._receiving = _Places(receiving)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
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
