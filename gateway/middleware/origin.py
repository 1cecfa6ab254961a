"""Foreign pages: which hosts the gateway is reached under, and which pages may change anything.

A page of anyone's can make a visitor's browser send requests here, and by DNS rebinding read the responses under a name
of its own. The Host header tells such names, and Origin and Sec-Fetch-Site tell foreign pages:
https://fetch.spec.whatwg.org/#origin-header, https://w3c.github.io/webappsec-fetch-metadata.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import error_response

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
OWN = ("same-origin", "none")
"""Values of Sec-Fetch-Site for our own page and for requests that no page makes."""


class OriginControl:
    """Rejects unknown hosts (421), and changes that foreign pages ask for (403).

    Args:
        app: The app.
        hosts: Allowed host names. Empty: see `any_host`.
        origins: Origins of pages that may use the API; "*": any.
        any_host: Whether any host name is allowed if none is configured; otherwise those that no stranger can own.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], origins: Sequence[str], *, any_host: bool) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._origins = set(origins)
        self._any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_allowed_host(_name_of(host)):
            detail = "This host name is not configured here: add it to GATEWAY_ALLOWED_HOSTS."
            await error_response(421, detail)(scope, receive, send)
        elif scope["method"] not in SAFE and not self._is_allowed_page(headers, host):
            detail = "Pages of this origin may not use the API: add it to GATEWAY_CORS_ORIGINS."
            await error_response(403, detail)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_allowed_host(self, name: str) -> bool:
        if self._hosts:
            return name in self._hosts
        return self._any_host or _is_nobodys(name)

    def _is_allowed_page(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in OWN
        # The scheme does not count: TLS may end in front of us.
        return origin.partition("://")[2] == host or origin in self._origins or "*" in self._origins


@lru_cache
def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


@lru_cache
def _is_nobodys(name: str) -> bool:
    """Return whether no stranger can make a name lead here: an address, localhost, or a name without a dot."""
    try:
        ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(".localhost"))
    return True
