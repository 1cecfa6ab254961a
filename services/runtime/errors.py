"""The errors a service can answer with, and the one table that maps them to gRPC status codes.

A status carries `google.rpc.ErrorInfo` (a reason that programs can test for) and, where trying again later helps,
`google.rpc.RetryInfo`. Anything that is not a `ServiceError` is answered with a fixed text.
"""

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc import RpcError, StatusCode

DOMAIN = "productimage"
STATUS_DETAILS = "grpc-status-details-bin"


class ServiceError(Exception):
    """An error whose text is meant for the caller: it says what is wrong and what to do.

    Args:
        message: The text.
        reason: UPPER_SNAKE_CASE, stable, for programs.
    """

    reason = "UNKNOWN"

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.reason


class InvalidInputError(ServiceError):
    """The request itself is wrong; the same request will never work."""

    reason = "INVALID_INPUT"


class NotFoundError(ServiceError):
    """What the request names does not exist."""

    reason = "NOT_FOUND"


class PreconditionError(ServiceError):
    """The request is well formed, but cannot be done with this content or in this state."""

    reason = "FAILED_PRECONDITION"


class ContentionError(ServiceError):
    """Others kept changing the same thing; nothing was changed. Trying again may work."""

    reason = "CONTENTION"


class OverloadedError(ServiceError):
    """The queue is full; nothing was started. Trying again in a while works."""

    reason = "OVERLOADED"


class UnavailableError(ServiceError):
    """What this service depends on does not answer. Trying again later may work."""

    reason = "DEPENDENCY_UNAVAILABLE"


STATUS_CODES: dict[type[ServiceError], StatusCode] = {
    InvalidInputError: StatusCode.INVALID_ARGUMENT,
    NotFoundError: StatusCode.NOT_FOUND,
    PreconditionError: StatusCode.FAILED_PRECONDITION,
    ContentionError: StatusCode.ABORTED,
    OverloadedError: StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: StatusCode.UNAVAILABLE,
}
RETRY_AFTER_SECONDS = {StatusCode.RESOURCE_EXHAUSTED: 2, StatusCode.ABORTED: 1}


def to_status(error: BaseException, request_id: str) -> tuple[StatusCode, status_pb2.Status]:
    """Give the gRPC status for an error: the table's for ours, a fixed one for any other."""
    code = next((STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES), StatusCode.INTERNAL)
    if isinstance(error, ServiceError):
        message, reason = str(error), error.reason
    elif isinstance(error, TimeoutError):
        code, message, reason = StatusCode.DEADLINE_EXCEEDED, "The work took longer than its deadline.", "DEADLINE"
    else:
        message, reason = f"Internal error. Quote request id {request_id} when you report it.", "INTERNAL"
    status = status_pb2.Status(code=code.value[0], message=message)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata={"request_id": request_id})
    _pack(status, info)
    if code in RETRY_AFTER_SECONDS:
        delay = Duration(seconds=RETRY_AFTER_SECONDS[code])
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return code, status


def _pack(status: status_pb2.Status, detail: error_details_pb2.ErrorInfo | error_details_pb2.RetryInfo) -> None:
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)


def reason_of(error: RpcError) -> str | None:
    """Read the reason out of a failed call's `ErrorInfo`; None when there is none (the call never got there, say)."""
    metadata = getattr(error, "trailing_metadata", lambda: None)()
    packed = dict(metadata or ()).get(STATUS_DETAILS)
    if not isinstance(packed, bytes):
        return None
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(packed).details:
        if detail.Unpack(info):
            return str(info.reason)
    return None
