"""Errors that services return, and the one table that maps them to gRPC status codes.

A status carries `google.rpc.ErrorInfo`, with a reason that programs can test for, and `google.rpc.RetryInfo` where
trying again later helps. Any other exception becomes INTERNAL with a fixed text.
"""

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

DOMAIN = "productimage"


class StartError(Exception):
    """A process cannot start. The text is one line that says why and what to do."""


class ServiceError(Exception):
    """An error for the caller.

    Args:
        message: Neutral text without internal details; the gateway phrases it for people.
        reason: Stable UPPER_SNAKE_CASE reason for programs.
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
    """The request is well formed, but cannot be served with this content or in this state."""

    reason = "FAILED_PRECONDITION"


class ContentionError(ServiceError):
    """Others kept changing the same thing; nothing was changed. Trying again may work."""

    reason = "CONTENTION"


class OverloadedError(ServiceError):
    """The queue is full; nothing was started. Trying again later works."""

    reason = "OVERLOADED"


class UnavailableError(ServiceError):
    """A dependency of the service does not respond. Trying again later may work."""

    reason = "DEPENDENCY_UNAVAILABLE"


class DamagedStoreError(ServiceError):
    """A stored file cannot be read. Nothing was changed; an operator has to mend it.

    Args:
        message: Neutral text without internal details.
        file: Key of the file in the object store.
        problem: What is wrong with it, as the rest of a sentence: "is not JSON".
        remedy: What mends it.
    """

    reason = "STORE_DAMAGED"

    def __init__(
        self,
        message: str = "A stored file is damaged. Nothing was changed.",
        *,
        file: str = "",
        problem: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(message)
        self.file = file
        self.problem = problem
        self.remedy = remedy


STATUS_CODES: dict[type[ServiceError], StatusCode] = {
    InvalidInputError: StatusCode.INVALID_ARGUMENT,
    NotFoundError: StatusCode.NOT_FOUND,
    PreconditionError: StatusCode.FAILED_PRECONDITION,
    ContentionError: StatusCode.ABORTED,
    OverloadedError: StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: StatusCode.UNAVAILABLE,
    DamagedStoreError: StatusCode.DATA_LOSS,
}
RETRY_AFTER_SECONDS = {StatusCode.RESOURCE_EXHAUSTED: 2, StatusCode.ABORTED: 1}


def to_status(error: BaseException, request_id: str) -> tuple[StatusCode, status_pb2.Status]:
    """Return the gRPC status of an error.

    Args:
        error: Any exception.
        request_id: Request id, quoted in the text of unexpected errors.
    """
    code = next((STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES), StatusCode.INTERNAL)
    if isinstance(error, ServiceError):
        message, reason = str(error), error.reason
    elif isinstance(error, TimeoutError):
        code, message, reason = (
            StatusCode.DEADLINE_EXCEEDED,
            "The deadline passed before the work was done.",
            "DEADLINE",
        )
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
