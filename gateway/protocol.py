"""HTTP as uvicorn speaks it, with the limits in time that it lacks."""

from asyncio import TimerHandle, Transport
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when it keeps us waiting.

    For the head of a request, or for the rest of a body that was refused; that is read for a while, so that its sender
    gets to read the refusal.
    """

    limit_seconds: ClassVar[float]
    _limit: TimerHandle | None = None

    def _wait_no_longer(self) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(self.limit_seconds, self.transport.close)

    def _go_on(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A head is to come."""
        super().connection_made(transport)
        self._wait_no_longer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is to come."""
        self._go_on()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The rest of the head is to come."""
        super().on_message_begin()
        self._wait_no_longer()

    def on_headers_complete(self) -> None:
        """The head is there; how slow its body may be is BodyLimits' to say."""
        self._go_on()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """The rest of the body may be to come, which nobody reads."""
        super().on_response_complete()
        if self.cycle.more_body:
            self._wait_no_longer()


def bounded_protocol(seconds: float) -> type[BoundedProtocol]:
    """Give the class for uvicorn, with its limit set."""

    class Configured(BoundedProtocol):
        limit_seconds = seconds

    return Configured
