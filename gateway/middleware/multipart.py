"""Multipart bodies as some clients write them, made what the parser accepts.

Text before the first boundary is dropped (RFC 2046, section 5.1.1), and a file that is named by `filename*` alone,
which RFC 7578 forbids but mail libraries write, gets a plain `filename`. A body of too many parts is rejected before it
is parsed: each part costs as much time as many kilobytes.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.middleware.body import BODILESS, CLOSE

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,200})"?', re.IGNORECASE)
_EXTENDED_NAME = re.compile(rb";\s*filename\*=[\w-]*'[\w-]*'([^;\s]*)", re.IGNORECASE)
_PLAIN_NAME = re.compile(rb';\s*filename="?', re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"
MAX_HEAD = 8 << 10
"""Bytes of the head of a part; a longer one is passed on as it is, for the parser to reject."""


class MultipartDialects:
    """Rewrites multipart bodies while they arrive; rejects those of too many parts (400).

    Args:
        app: The app.
        max_parts: Maximum number of parts.
    """

    def __init__(self, app: ASGIApp, max_parts: int) -> None:
        self._app = app
        self._max_parts = max_parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        has_body = scope["type"] == "http" and scope["method"] not in BODILESS
        content_type = Headers(scope=scope).get("content-type", "") if has_body else ""
        found = _BOUNDARY.search(content_type) if content_type.lower().startswith("multipart/form-data") else None
        if found is None:
            await self._app(scope, receive, send)
            return
        rewriter = Rewriter(found[1].strip().encode("latin-1"), self._max_parts)

        async def receive_rewritten() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                rewritten = rewriter.feed(message.get("body", b""), last=not message.get("more_body", False))
                message = {**message, "body": b"".join(rewritten)}
            return message

        await self._app(scope, receive_rewritten, send)


class Rewriter:
    """Rewrites the heads of the parts of one body.

    Args:
        boundary: The boundary, without its hyphens.
        max_parts: Maximum number of parts.
    """

    def __init__(self, boundary: bytes, max_parts: int) -> None:
        self._left = self._max_parts = max_parts
        self._delimiter = b"\r\n--" + boundary
        # A first delimiter may come without a line break before it.
        self._rest = b"\r\n"
        self._is_in_head = False
        self._is_before_first = True

    def feed(self, data: bytes, *, last: bool) -> Iterator[bytes]:
        """Take the next bytes; yield what is certain by now.

        Args:
            data: The bytes.
            last: Whether they are the last ones.

        Raises:
            HTTPException: There are too many parts (400).
        """
        self._rest += data
        while True:
            mark, most = (_HEAD_END, MAX_HEAD) if self._is_in_head else (self._delimiter, len(self._delimiter) - 1)
            content, found, after = self._rest.partition(mark)
            if not found:
                break
            if self._is_in_head:
                self._left -= 1
                if self._left < 0:
                    detail = f"The form has more than {self._max_parts} parts: send each field once."
                    raise HTTPException(400, detail, CLOSE)
            yield self._rewritten(content + found)
            self._rest, self._is_in_head = after, not self._is_in_head
        if last or (self._is_in_head and len(self._rest) > most):
            yield self._rewritten(self._rest)
            self._rest = b""
        elif not self._is_in_head and len(self._rest) > most:
            yield self._rewritten(self._rest[:-most])
            self._rest = self._rest[-most:]

    def _rewritten(self, part: bytes) -> bytes:
        if self._is_in_head:
            return part if _PLAIN_NAME.search(part) else _EXTENDED_NAME.sub(_plain_name, part)
        if not self._is_before_first:
            return part
        if not part.endswith(self._delimiter):
            return b""
        self._is_before_first = False
        return self._delimiter[2:]


def _plain_name(found: re.Match[bytes]) -> bytes:
    name = unquote_to_bytes(found[1]).replace(b"\\", b"_").replace(b'"', b"_").replace(b"\r", b"_").replace(b"\n", b"_")
    return b'; filename="' + name + b'"'
