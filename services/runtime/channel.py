"""Channels to our services: load balancing, keepalive, deadlines, and retries at this one layer."""

import json
from collections.abc import Callable
from typing import Any

import grpc

from services.runtime.settings import ChannelSettings
from services.runtime.telemetry import REQUEST_ID, current_request_id
from services.runtime.tls import channel_credentials
from services.runtime.tracing import trace_headers
from services.runtime.work import seconds_left


def open_channel(target: str, settings: ChannelSettings) -> grpc.aio.Channel:
    """Open a channel.

    A call that names no deadline gets the default one, and none gets more than what is left to the request being
    served (see work.py), whose id it carries. Only UNAVAILABLE is tried again: the service did not get the call, or
    asked for another try.

    Args:
        target: A gRPC target such as "dns:///segmentation:50051"; every address behind the name gets its share.
        settings: Limits, keepalive, default deadline, the number of tries, and TLS.

    Raises:
        OSError: A file for TLS cannot be read.
    """
    defaults = _CallDefaults(settings.default_deadline_seconds)
    options = [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", int(settings.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # A call can be tried again only while its request is still buffered; the default holds 256 KiB.
        ("grpc.per_rpc_retry_buffer_size", settings.max_message_bytes),
        ("grpc.service_config", _service_config(settings.retry_attempts)),
    ]
    interceptors = [_UnaryDefaults(defaults), _StreamDefaults(defaults)]
    credentials = channel_credentials(settings)
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options, interceptors=interceptors)
    return grpc.aio.secure_channel(target, credentials, options=options, interceptors=interceptors)


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
            # Replicas that say they are stopping get no more calls, before they close: https://grpc.io/docs/guides/health-checking
            "healthCheckConfig": {"serviceName": ""},
            "methodConfig": [{"name": [{}], "retryPolicy": retry}],
        }
    )


class _CallDefaults:
    def __init__(self, default_deadline: float) -> None:
        self._deadline = default_deadline

    def apply(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        request_id = current_request_id()
        if request_id is not None and metadata.get(REQUEST_ID) is None:
            metadata.add(REQUEST_ID, request_id)
        for key, value in trace_headers().items():
            metadata.add(key, value)
        return grpc.aio.ClientCallDetails(
            method=details.method,
            timeout=min(self._deadline if details.timeout is None else details.timeout, seconds_left()),
            metadata=metadata,
            credentials=details.credentials,
            wait_for_ready=details.wait_for_ready,
        )


class _UnaryDefaults(grpc.aio.UnaryUnaryClientInterceptor):
    def __init__(self, defaults: _CallDefaults) -> None:
        self._defaults = defaults

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(self._defaults.apply(client_call_details), request)


class _StreamDefaults(grpc.aio.UnaryStreamClientInterceptor):
    def __init__(self, defaults: _CallDefaults) -> None:
        self._defaults = defaults

    async def intercept_unary_stream(
        self, continuation: Callable[..., Any], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        return await continuation(self._defaults.apply(client_call_details), request)
