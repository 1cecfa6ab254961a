"""The errors of the client, held against the reasons that services give."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from common import errors as service_errors
from common.errors import STATUS_CODES, ServiceError, to_status
from productimage.errors import BY_CODE, BY_REASON, STATUS_DETAILS, NothingFoundError, ProductImageError, from_rpc_error

ROOT = Path(__file__).parents[3]
KINDS = {kind.__name__: code for kind, code in STATUS_CODES.items()}


def raised() -> Iterator[tuple[grpc.StatusCode, str]]:
    """Every status and reason that the services construct."""
    for path in [*(ROOT / "services").rglob("*.py"), *(ROOT / "common").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
                reasons = [one.value for one in node.args[1:2] if isinstance(one, ast.Constant)]
                default = getattr(service_errors, node.func.id).reason
                yield KINDS[node.func.id], str(reasons[0]) if reasons else default


def test_every_reason_of_a_service_has_a_class() -> None:
    reasons = set(raised())
    assert len(reasons) > 50
    assert reasons <= BY_REASON.keys(), reasons - BY_REASON.keys()


def test_no_class_is_left_over() -> None:
    known = {*raised(), *((code, kind.reason) for kind, code in STATUS_CODES.items())}
    known.add((grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_TOO_LARGE"))  # by the client
    known |= {(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE"), (grpc.StatusCode.INTERNAL, "INTERNAL")}
    assert BY_REASON.keys() <= known, BY_REASON.keys() - known


def failed(error: BaseException) -> ProductImageError:
    code, status = to_status(error, "the-request")
    details = grpc.aio.Metadata((STATUS_DETAILS, status.SerializeToString()))
    return from_rpc_error(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), details, status.message))


@pytest.mark.parametrize("kind", list(STATUS_CODES))
def test_a_service_error_arrives_as_its_class(kind: type[ServiceError]) -> None:
    error = failed(kind("why"))
    assert (error.code, error.reason, error.message) == (STATUS_CODES[kind], kind.reason, "why")
    assert error.request_id == "the-request"
    assert type(error) is BY_REASON[STATUS_CODES[kind], kind.reason]


def test_a_named_reason_arrives_as_its_own_class() -> None:
    error = failed(service_errors.PreconditionError("why", "NOTHING_FOUND"))
    assert isinstance(error, NothingFoundError)
    assert error.retry_after is None
    assert failed(service_errors.OverloadedError("busy")).retry_after == 2


def test_a_reason_of_a_later_version_is_kept() -> None:
    error = failed(service_errors.PreconditionError("why", "NEW_REASON"))
    assert type(error) is BY_CODE[grpc.StatusCode.FAILED_PRECONDITION]
    assert error.reason == "NEW_REASON"


@pytest.mark.parametrize("code", list(grpc.StatusCode))
def test_every_status_becomes_an_error(code: grpc.StatusCode) -> None:
    error = from_rpc_error(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "text"))
    assert isinstance(error, ProductImageError)
    assert (error.reason == "") == (type(error) in BY_CODE.values())
    assert error_details_pb2.ErrorInfo(reason=error.reason).reason == error.reason
