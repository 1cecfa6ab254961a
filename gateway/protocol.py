"""uvicorn's HTTP protocol, with the timeouts that it lacks."""

from asyncio import TimerHandle, Transport
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection that is idle in the middle of a request head, or while a rejected body is still arriving.

    The rest of a rejected body is read for a while, so that its sender gets to read the rejection.
    """

    timeout_seconds: ClassVar[float]
    _timer: TimerHandle | None = None

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.timeout_seconds, self.transport.close)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Start the timer; a request head must follow."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer; the connection is closed."""
        self._cancel_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the timer; the rest of the head must follow."""
        super().on_message_begin()
        self._start_timer()

    def on_headers_complete(self) -> None:
        """Cancel the timer; BodyLimits times the body."""
        self._cancel_timer()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Start the timer if the rest of an unread body may follow."""
        super().on_response_complete()
        if self.cycle.more_body:
            self._start_timer()


def bounded_protocol(seconds: float) -> type[BoundedProtocol]:
    """Return the protocol class for uvicorn, with its timeout set."""

    class Configured(BoundedProtocol):
        timeout_seconds = seconds

    return Configured
