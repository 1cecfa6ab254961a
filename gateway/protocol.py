"""uvicorn's HTTP protocol, with the limits that it lacks: on heads, on silence, and on responses that nobody reads."""

import json
from asyncio import TimerHandle, Transport
from typing import Any, ClassVar, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.settings import GatewaySettings

_BODY = json.dumps({"detail": "The headers of the request are too large or too many."}).encode()
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_BODY), _BODY)
)


MAX_PIPELINED = 8
"""Requests of one connection that may wait for the response to an earlier one."""
SLICE = 2048
"""Bytes that are parsed at a time; after a rejection, the rest is not parsed."""
DROP_PAUSE_SECONDS = 0.01
"""Pause after each piece that is read only to be dropped, so that a flood of them leaves time for other callers."""


class BoundedProtocol(HttpToolsProtocol):
    """Bounds what a connection may hold, and for how long.

    - A head that is too large or has too many headers is rejected with 431.
    - A connection that sends many requests without waiting for responses is cut. What is parsed at a time is bounded.
    - A connection is closed if it is idle in the middle of a head, or between requests when there are too many.
    - A rejection reaches a caller who is still sending: what follows is read and dropped for a while before closing. A
      socket that is closed on unread bytes makes the caller's system forget what it has received.
    - A connection is cut if its caller does not read what is sent.
    """

    settings: ClassVar[GatewaySettings]

    _real: Transport
    _timer: TimerHandle | None = None
    _reading_timer: TimerHandle | None = None
    _first_cycle: RequestResponseCycle
    _is_in_head = True
    _head_bytes = 0
    _dropped_bytes = 0
    _is_lingering = False
    _has_completed = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Start the timer; a request head must follow."""
        self._real = transport
        self._whole_app, self.app = self.app, self._unless_gone
        super().connection_made(cast("Transport", _Lingering(self, transport)))
        self._start_timer()
        if len(self.connections) >= self.settings.max_connections:
            self._make_room()

    def _make_room(self) -> None:
        others = (one for one in self.connections if isinstance(one, BoundedProtocol))
        closed = next((one for one in others if one.close_if_idle()), None)
        if closed is not None:
            self.connections.discard(closed)

    def close_if_idle(self) -> bool:
        """Close the connection if its last request was answered and no other has begun; return whether it was so."""
        is_answered = self.cycle is not None and self.cycle.response_complete and not self.cycle.more_body
        is_idle = is_answered and not self._is_in_head and not self.pipeline and not self._real.is_closing()
        if is_idle:
            self._real.close()
        return is_idle

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers; the connection is closed."""
        self._cancel_timer()
        self._cancel_reading_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head, and those that nobody wants any more."""
        if self._is_dropping():
            self._drop(len(data))
        self._has_completed = False
        for start in range(0, len(data), SLICE):
            if self._is_lingering or self._real.is_closing():
                return
            super().data_received(data[start : start + SLICE])
        if self._is_in_head and not self._has_completed:  # else it holds the end of an earlier request as well
            self._head_bytes += len(data)
            if self._head_bytes > self.settings.max_head_bytes:
                self._reject_head()

    def _drop(self, size: int) -> None:
        self._dropped_bytes += size
        if self._dropped_bytes > self.settings.max_form_bytes:
            self._real.abort()
        else:
            self._real.pause_reading()
            self.loop.call_later(DROP_PAUSE_SECONDS, self._read_on)

    def _read_on(self) -> None:
        if not self._real.is_closing() and not self.flow.read_paused:
            self._real.resume_reading()

    async def _unless_gone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, unless its connection was cut while the same bytes were parsed."""
        if not self._real.is_closing():
            await self._whole_app(scope, receive, send)

    def _is_dropping(self) -> bool:
        return self._is_lingering or (self.cycle is not None and self.cycle.response_complete and self.cycle.more_body)

    def on_message_begin(self) -> None:
        """Start the timer; the rest of the head must follow."""
        if self._is_lingering:
            return
        super().on_message_begin()
        self._is_in_head, self._dropped_bytes = True, 0
        self._start_timer()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless there are too many."""
        if self._is_lingering:
            return
        if len(self.headers) >= self.settings.max_headers:
            self._reject_head()
        else:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Cancel the timer; BodyLimits times the body."""
        if self._is_lingering:
            return
        self._cancel_timer()
        self._is_in_head, self._head_bytes = False, 0
        if len(self.pipeline) >= MAX_PIPELINED:
            self._cut()
            return
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.settings.max_head_bytes:
            self._reject_head()
        else:
            super().on_headers_complete()
            if not self.pipeline:
                self._first_cycle = self.cycle

    def _cut(self) -> None:
        self._is_lingering = True
        self._real.abort()
        for cycle in (self._first_cycle, *(cycle for cycle, _ in self.pipeline)):
            cycle.disconnected = True  # uvicorn tells the last one alone
            cycle.message_event.set()

    def on_body(self, body: bytes) -> None:
        """Drop what follows a rejected head."""
        if not self._is_lingering:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Drop what follows a rejected head."""
        self._has_completed = True
        if not self._is_lingering:
            super().on_message_complete()

    def _reject_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:  # it would get into the response before it
            self._real.abort()
        elif not self._is_lingering:
            self._real.write(HEAD_TOO_LARGE)
            self.linger()

    def on_response_complete(self) -> None:
        """Start the timer if the rest of an unread body may follow."""
        super().on_response_complete()
        if self.cycle.more_body:
            self._start_timer()

    def close(self) -> None:
        """Close the connection; if the caller may still be sending, once it has had the time to read the response."""
        if self.cycle is not None and self.cycle.response_complete and self.cycle.more_body:
            self.linger()
        else:
            self._real.close()

    def linger(self) -> None:
        """End our side of the connection, and drop what arrives until the caller ends its own, or takes too long."""
        if self._is_lingering or self._real.is_closing():
            return
        self._is_lingering = True
        self._cancel_timer()
        self._start_timer()
        self.flow.resume_reading()
        if self._real.can_write_eof():
            self._real.write_eof()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.settings.silence_seconds, self._real.close)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause_writing(self) -> None:
        """Start the timer; the caller must read what is in the buffer."""
        super().pause_writing()
        size = self._real.get_write_buffer_size()
        patience = self.settings.silence_seconds + size / self.settings.least_bytes_per_second
        self._reading_timer = self.loop.call_later(patience, self._real.abort)

    def resume_writing(self) -> None:
        """Cancel the timer; the caller has read enough of it."""
        self._cancel_reading_timer()
        super().resume_writing()

    def _cancel_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None


class _Lingering:
    """The transport as uvicorn gets it: closing it is left to the protocol."""

    def __init__(self, protocol: BoundedProtocol, transport: Transport) -> None:
        self._transport = transport
        self.close = protocol.close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def bounded_protocol(settings: GatewaySettings) -> type[BoundedProtocol]:
    """Return the protocol class for uvicorn, with its settings."""

    class Configured(BoundedProtocol):
        pass

    Configured.settings = settings
    return Configured
