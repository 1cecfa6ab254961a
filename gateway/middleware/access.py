"""Access control: API keys and their rate limit."""

import hmac
from collections.abc import Mapping

import structlog
from limits import parse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api_keys import digest_of
from gateway.counters import Counters
from gateway.errors import error_response

GUARDED = "/api/"
KEY_HEADER = "X-API-Key"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class AccessControl:
    """Rejects calls to /api without a known key (401) and calls above the rate limit of a key (429).

    Args:
        app: The app.
        keys: SHA-256 of each key in hexadecimal, by the name of its owner.
        rate: Rate limit per key, such as "600/minute".
        counters: Where calls are counted.
    """

    def __init__(self, app: ASGIApp, keys: Mapping[str, str], rate: str, counters: Counters) -> None:
        self._app = app
        self._keys = keys
        self._rate = parse(rate)
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not scope["path"].startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        owner = self._owner_of(_presented(Headers(scope=scope)))
        if owner is None:
            detail = "An API key is required: send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."
            await error_response(401, detail, CHALLENGE)(scope, receive, send)
        elif seconds := await self._counters.seconds_over(self._rate, owner):
            detail = f"This API key is over its rate limit of {self._rate}. Wait a moment."
            await error_response(429, detail, {"Retry-After": str(seconds)})(scope, receive, send)
        else:
            structlog.contextvars.bind_contextvars(api_key=owner)
            scope.setdefault("state", {})["owner"] = owner
            await self._app(scope, receive, send)

    def _owner_of(self, key: str) -> str | None:
        """Return the owner of a key, in constant time."""
        presented = digest_of(key)
        owners = [owner for owner, digest in self._keys.items() if hmac.compare_digest(digest, presented)]
        return owners[0] if owners else None


def owner_of(scope: Scope) -> str:
    """Return the owner of the API key of a request; empty if it has none."""
    owner: str = scope.get("state", {}).get("owner", "")
    return owner


def caller_of(scope: Scope) -> str:
    """Return who sent a request: the owner of its API key, or else its address."""
    address = scope.get("client")
    return owner_of(scope) or (address[0] if address else "")


def _presented(headers: Headers) -> str:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else headers.get(KEY_HEADER, "")
