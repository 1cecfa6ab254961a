"""Connections to a service: TLS, keepalive, load balancing and retries in one place."""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import grpc

from productimage.context import REQUEST_ID, current_request_id, seconds_left
from productimage.errors import from_rpc_error
from productimage.renewal import RenewedChannel
from productimage.tls import Tls

Request = TypeVar("Request")
Response = TypeVar("Response")


def no_metadata() -> Mapping[str, str]:
    """Return no metadata."""
    return {}


@dataclass(frozen=True)
class Options:
    """Options of a connection.

    Attributes:
        tls: Files for mutual TLS. None means plaintext.
        max_message_bytes: Largest message to send or receive.
        keepalive_seconds: Interval between probes of an idle connection.
        attempts: Attempts per call, the first included, while the service is UNAVAILABLE; 2 to 5.
        metadata: Called for every call; returns more metadata to send, such as trace context.
    """

    tls: Tls | None = None
    max_message_bytes: int = 64 * 2**20
    keepalive_seconds: float = 30
    attempts: int = 4
    metadata: Callable[[], Mapping[str, str]] = no_metadata


DEFAULTS = Options()


class Connection:
    """A connection to every replica of a service. Close it, or use it as an async context manager.

    Args:
        channel: Open channel.
        metadata: See Options.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: Callable[[], Mapping[str, str]]) -> None:
        self.channel = channel
        self._metadata = metadata

    async def unary(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]", request: Request, deadline: float
    ) -> Response:
        """Call a unary method.

        Args:
            method: Method of a stub on this channel.
            request: Message to send.
            deadline: Seconds the call may take; less if the current context has less left.

        Raises:
            ProductImageError: The call failed.
        """
        try:
            return await method(request, timeout=min(deadline, seconds_left()), metadata=self._call_metadata())
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error

    async def stream(
        self, method: "grpc.aio.UnaryStreamMultiCallable[Request, Response]", request: Request, deadline: float
    ) -> AsyncGenerator[Response, None]:
        """Call a server-streaming method. Closing the iterator cancels the call.

        Args:
            method: Method of a stub on this channel.
            request: Message to send.
            deadline: Seconds the whole stream may take.

        Raises:
            ProductImageError: The call failed, at once or in the middle of the stream.
        """
        call = method(request, timeout=min(deadline, seconds_left()), metadata=self._call_metadata())
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            call.cancel()

    def _call_metadata(self) -> grpc.aio.Metadata:
        metadata = grpc.aio.Metadata(*self._metadata().items())
        request_id = current_request_id()
        if request_id is not None:
            metadata.add(REQUEST_ID, request_id)
        return metadata

    async def close(self) -> None:
        """Close the connection; calls under way are cancelled."""
        await self.channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def connect(target: str, options: Options = DEFAULTS) -> Connection:
    """Open a connection. It connects on first use, and again by itself after a failure. Renewed TLS files are taken.

    Calls are spread over every address behind the target. Only UNAVAILABLE is retried: the service did not get the
    call, or asked for another attempt.

    Args:
        target: gRPC target, such as "dns:///segmentation:50051".
        options: Options of the connection.

    Raises:
        OSError: A TLS file cannot be read.
    """
    arguments = [
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.keepalive_time_ms", int(options.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # A call can be retried only while its request is still buffered; the default buffer holds 256 KiB.
        ("grpc.per_rpc_retry_buffer_size", options.max_message_bytes),
        ("grpc.service_config", _service_config(options.attempts)),
    ]
    if options.tls is None:
        channel: grpc.aio.Channel = grpc.aio.insecure_channel(target, options=arguments)
    else:
        channel = RenewedChannel(lambda keys: grpc.aio.secure_channel(target, keys, options=arguments), options.tls)
    return Connection(channel, options.metadata)


def _service_config(attempts: int) -> str:
    retry = {
        "maxAttempts": attempts,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            # Replicas that report that they are stopping get no more calls: https://grpc.io/docs/guides/health-checking
            "healthCheckConfig": {"serviceName": ""},
            "methodConfig": [{"name": [{}], "retryPolicy": retry}],
        }
    )
