"""Headers that tell browsers what not to do with an answer."""

from functools import cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Answers are data and pictures: nothing in them may run or load anything."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{pictures}; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
"""The studio loads nothing that is not ours, and runs and styles by files only; pictures may be in S3."""
DOCS_POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'"
"""FastAPI's page for developers loads its scripts from elsewhere."""
DOCS = ("/docs", "/redoc")


class SecurityHeaders:
    """Adds them to every answer.

    Args:
        app: What is behind.
        pictures_elsewhere: Whether the page may be sent on to another server for its pictures.
    """

    def __init__(self, app: ASGIApp, *, pictures_elsewhere: bool) -> None:
        self._app = app
        self._page_policy = PAGE_POLICY.format(pictures=" *" if pictures_elsewhere else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = _headers(self._policy_for(scope["path"]))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _policy_for(self, path: str) -> str:
        if path == "/":
            return self._page_policy
        return DOCS_POLICY if path.startswith(DOCS) else CONTENT_SECURITY_POLICY


@cache
def _headers(policy: str) -> list[tuple[bytes, bytes]]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": policy,
    }
    return Headers(headers).raw
