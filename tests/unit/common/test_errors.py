import pytest
from google.rpc import error_details_pb2
from grpc import StatusCode

from common import errors
from common.errors import (
    STATUS_CODES,
    ContentionError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    PreconditionError,
    ServiceError,
    UnavailableError,
    to_status,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("text"), StatusCode.INVALID_ARGUMENT),
        (NotFoundError("text"), StatusCode.NOT_FOUND),
        (PreconditionError("text"), StatusCode.FAILED_PRECONDITION),
        (ContentionError("text"), StatusCode.ABORTED),
        (OverloadedError("text"), StatusCode.RESOURCE_EXHAUSTED),
        (UnavailableError("text"), StatusCode.UNAVAILABLE),
    ],
)
def test_our_errors_keep_their_text(error: ServiceError, code: StatusCode) -> None:
    found, status = to_status(error, "id-1")
    assert found is code
    assert status.message == "text"
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == error.reason
    assert info.metadata["request_id"] == "id-1"


def test_trying_again_is_advised_where_it_helps() -> None:
    _, status = to_status(OverloadedError("busy"), "id")
    retry = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.seconds > 0
    _, status = to_status(InvalidInputError("no"), "id")
    assert len(status.details) == 1


def test_unknown_errors_give_nothing_away() -> None:
    code, status = to_status(RuntimeError("password=hunter2 at /etc/secret"), "id-2")
    assert code is StatusCode.INTERNAL
    assert "hunter2" not in status.SerializeToString().decode(errors="replace")
    assert "id-2" in status.message


def test_every_error_of_the_module_is_in_the_table() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ServiceError)}
    assert kinds - {ServiceError} == set(STATUS_CODES)
