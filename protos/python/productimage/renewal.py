"""Channels over mutual TLS that take renewed certificates without a restart: gRPC reads a caller's files only once."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import grpc

from productimage.tls import Tls

log = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
"""Interval at which the files are looked at, when calls are made."""
GRACE_SECONDS = 600.0
"""Time for calls on the earlier channel to finish."""
Open = Callable[[grpc.ChannelCredentials], grpc.aio.Channel]


class RenewedChannel(grpc.aio.Channel):
    """A channel that is reopened when its files have changed; calls under way finish on the earlier one.

    Args:
        open_channel: Opens a channel with credentials.
        tls: The files.

    Raises:
        OSError: A file cannot be read, or key and certificate do not fit together.
    """

    def __init__(self, open_channel: Open, tls: Tls) -> None:
        self._open = open_channel
        self._tls = tls
        self._files = tls.read()
        self._checked = time.monotonic()
        self._closing: set[asyncio.Task[None]] = set()
        self.present = open_channel(tls.credentials(self._files))

    def renewed(self) -> grpc.aio.Channel:
        """Return the channel for a new call. Files that cannot be read, or do not fit together yet, change nothing."""
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            self._checked = time.monotonic()
            try:
                files = self._tls.read()
                if files != self._files:
                    opened = self._open(self._tls.credentials(files))
                    self._retire(self.present)
                    self._files, self.present = files, opened
                    log.info("certificate renewed")
            except OSError as error:
                log.warning("certificate not renewed: %s", error)
        return self.present

    def _retire(self, channel: grpc.aio.Channel) -> None:
        task = asyncio.ensure_future(channel.close(GRACE_SECONDS))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def unary_unary(self, *arguments: Any, **named: Any) -> Any:
        """See grpc.aio.Channel."""
        return _Method(self, "unary_unary", arguments, named)

    def unary_stream(self, *arguments: Any, **named: Any) -> Any:
        """See grpc.aio.Channel."""
        return _Method(self, "unary_stream", arguments, named)

    def stream_unary(self, *arguments: Any, **named: Any) -> Any:
        """See grpc.aio.Channel."""
        return _Method(self, "stream_unary", arguments, named)

    def stream_stream(self, *arguments: Any, **named: Any) -> Any:
        """See grpc.aio.Channel."""
        return _Method(self, "stream_stream", arguments, named)

    async def close(self, grace: float | None = None) -> None:
        """Close the channel, and earlier ones at once."""
        for task in self._closing:
            task.cancel()
        await self.present.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """See grpc.aio.Channel."""
        return self.present.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio.Channel."""
        await self.present.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """See grpc.aio.Channel."""
        await self.present.channel_ready()

    async def __aenter__(self) -> "RenewedChannel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Method:
    """A method of a stub, called on the current channel."""

    def __init__(self, channel: RenewedChannel, kind: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._channel = channel
        self._kind, self._arguments, self._named = kind, arguments, named
        self._made_on: grpc.aio.Channel | None = None
        self._method: Any = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        present = self._channel.renewed()
        if present is not self._made_on:
            self._made_on = present
            self._method = getattr(present, self._kind)(*self._arguments, **self._named)
        return self._method(*arguments, **named)
