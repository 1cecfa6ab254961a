"""Security headers of responses."""

from functools import cache

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Responses are data and pictures: nothing in them may run or load anything."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{pictures}; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)
"""The page loads only our files, and has no inline script or style; pictures may be in S3."""
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Swagger UI has icons as data URLs, and does not work with trusted types."""


class SecurityHeaders:
    """Adds security headers to every response.

    Args:
        app: The app.
        pictures_elsewhere: Whether pictures may be redirected to another server.
    """

    def __init__(self, app: ASGIApp, *, pictures_elsewhere: bool) -> None:
        self._app = app
        self._page_policy = PAGE_POLICY.format(pictures=" *" if pictures_elsewhere else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = _headers(self._policy_for(scope["path"]), *_privacy_of(scope["path"]))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                more = [(name, value) for name, value in added if name not in present]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _policy_for(self, path: str) -> str:
        if path == "/":
            return self._page_policy
        return DOCS_POLICY if path == "/docs" else CONTENT_SECURITY_POLICY


def _privacy_of(path: str) -> tuple[str, str]:
    """Return who may embed a response (Cross-Origin-Resource-Policy), and who may keep it unless it says so itself."""
    if path.startswith("/static/"):
        return "cross-origin", ""  # the frontend shows pictures from its own origin
    return "same-origin", "no-store" if path.startswith("/api/") else ""


@cache
def _headers(policy: str, embedding: str, caching: str) -> list[tuple[bytes, bytes]]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": embedding,
        "Content-Security-Policy": policy,
    }
    return Headers(headers | ({"Cache-Control": caching} if caching else {})).raw
