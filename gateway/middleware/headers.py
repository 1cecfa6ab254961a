"""Headers that tell browsers what not to do with an answer."""

from functools import cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Answers are data and pictures: nothing in them may run or load anything."""
DOCS_POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""FastAPI's page for developers loads its scripts from elsewhere."""
DOCS = ("/docs", "/redoc")


class SecurityHeaders:
    """Adds them to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = _headers(DOCS_POLICY if scope["path"].startswith(DOCS) else CONTENT_SECURITY_POLICY)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)


@cache
def _headers(policy: str) -> list[tuple[bytes, bytes]]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": policy,
    }
    return Headers(headers).raw
