"""What can go wrong, as callers see it: one table from gRPC status to HTTP status, one shape of body.

Every error body is `{"detail": "..."}`: a text for people that says what to do.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from grpc import StatusCode
from grpc.aio import AioRpcError
from starlette.exceptions import HTTPException

from services.runtime.errors import (
    InvalidInputError,
    OverloadedError,
    PreconditionError,
    ServiceError,
    reason_of,
)
from services.runtime.telemetry import current_request_id
from services.runtime.work import seconds_left

log = structlog.get_logger()

HTTP_STATUS = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.NOT_FOUND: 404,
    StatusCode.FAILED_PRECONDITION: 422,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}
_OWN_STATUS = {InvalidInputError: 400, PreconditionError: 422, OverloadedError: 429}
RETRY_AFTER_SECONDS = {429: "2", 503: "5", 409: "1"}


class ApiError(Exception):
    """An error whose text is meant for the caller.

    Args:
        status: The HTTP status.
        detail: Says what is wrong and what to do.
        reason: UPPER_SNAKE_CASE, stable, for programs; None: nothing more is known than the status.
    """

    def __init__(self, status: int, detail: str, reason: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason

    @property
    def body(self) -> dict[str, str]:
        """As callers get it."""
        return {"detail": self.detail} | ({"reason": self.reason} if self.reason else {})


def internal_error_detail() -> str:
    """The text for everything that nobody foresaw."""
    return f"Something went wrong on our side. Quote request id {current_request_id()} when you report it."


def from_rpc_error(error: AioRpcError, capability: str) -> ApiError:
    """Turn a failed call into an error for the caller. Names the capability; never a host, never a trace.

    Args:
        error: As grpc raised it.
        capability: What was being done, such as "cut-out".
    """
    code, status = error.code(), HTTP_STATUS.get(error.code(), 500)
    reason = reason_of(error)
    log.warning("call failed", capability=capability, code=code.name, message=error.details())
    if status == 500:
        return ApiError(status, internal_error_detail())
    if status == 503:
        return ApiError(status, f"The {capability} service is not available right now: try again in a moment.")
    if status == 504 and seconds_left() < 1:  # the service may have ended it a moment before
        return ApiError(status, f"The request took too long, and was ended during {capability}: try again later.")
    if status == 504:
        return ApiError(status, f"The {capability} service took too long: try again, or send a smaller picture.")
    if reason is not None:
        return ApiError(status, error.details() or "", reason)
    if status == 429:
        return ApiError(status, f"The {capability} service is busy: try again in a few seconds.")
    return ApiError(500, internal_error_detail())


@asynccontextmanager
async def calling(capability: str) -> AsyncIterator[None]:
    """Turn what goes wrong inside into an `ApiError` that names the capability."""
    try:
        yield
    except AioRpcError as error:
        raise from_rpc_error(error, capability) from error


def add_error_handlers(app: FastAPI) -> None:
    """Give every error the one shape of body."""
    app.add_exception_handler(ApiError, _known_error)
    app.add_exception_handler(ServiceError, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


def error_response(
    status: int, body: str | Mapping[str, str], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Make the answer of an error; some say when to try again."""
    retry_after = RETRY_AFTER_SECONDS.get(status)
    own = {"Retry-After": retry_after} if retry_after else {}
    content = {"detail": body} if isinstance(body, str) else dict(body)
    return JSONResponse(content, status, {**own, **(headers or {})})


def as_api_error(error: Exception) -> ApiError:
    """Turn anything that went wrong into what the caller is told: our own code's errors, and those nobody foresaw."""
    if isinstance(error, ApiError):
        return error
    status = next((status for kind, status in _OWN_STATUS.items() if isinstance(error, kind)), 500)
    if status == 500:
        log.error("request failed", exc_info=error)
        return ApiError(status, internal_error_detail())
    assert isinstance(error, ServiceError)  # noqa: S101  # only these have a status of their own
    return ApiError(status, str(error), error.reason)


async def _known_error(_: Request, error: Exception) -> JSONResponse:
    known = as_api_error(error)
    return error_response(known.status, known.body)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    return error_response(error.status_code, str(error.detail), error.headers)


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    """FastAPI would give a list; the frontend shows `detail` as it is."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = [f"{problem['loc'][-1]}: {_problem_text(problem)}" for problem in error.errors()]
    return error_response(422, "Check these fields: " + "; ".join(problems))


def _problem_text(problem: "dict[str, object]") -> str:
    message = str(problem["msg"])
    if "UploadFile" in message:
        return "must be a file"
    return "is missing" if problem["type"] == "missing" else message
