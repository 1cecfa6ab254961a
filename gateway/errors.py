"""Errors as callers see them: one table from gRPC to HTTP status, one table of sentences, one shape of body.

Every error body is `{"detail": "..."}`, a sentence for people that says what to do, with a `reason` for programs if one
is known.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from grpc import StatusCode
from starlette.exceptions import HTTPException

from common.errors import InvalidInputError, OverloadedError, PreconditionError, ServiceError
from productimage import ProductImageError
from productimage.context import current_request_id, seconds_left

log = structlog.get_logger()

HTTP_STATUS = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.NOT_FOUND: 404,
    StatusCode.FAILED_PRECONDITION: 422,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
    StatusCode.DATA_LOSS: 503,
}
STATUS_OF_REASON = {"MESSAGE_TOO_LARGE": 413}
OWN_STATUS = {InvalidInputError: 400, PreconditionError: 422, OverloadedError: 429}
RETRY_AFTER_SECONDS = {429: "2", 503: "5", 409: "1"}
SENTENCES = {
    "NOTHING_FOUND": "We could not find a product in this photo. Mark it by hand, or use a photo where it is in focus"
    " and stands out from the background.",
    "MESSAGE_TOO_LARGE": "The picture is too large and too detailed to be worked on: make it smaller, such as 4000"
    " pixels wide.",
    "UNKNOWN_BRAND": "There is no brand of this name: choose another, or make it with PUT /api/brands/{name}.",
    "EMPTY_CUTOUT": "The cut-out is empty: upload the photo again.",
    "UNKNOWN_UPLOAD": "There is no upload with this timestamp: upload the photo again.",
    "NO_CUTOUT": "This upload has no cut-out: mark the product in its photo, or upload another one.",
    "NO_SUCH_CUTOUT": "There is no other cut-out to return to.",
    "NOTHING_LEFT": "This would take the whole product away: mark less, or start over.",
    "BEING_CLEARED": "This upload is being removed: upload the photo again.",
    "BAD_TIMESTAMP": "The timestamp is not that of an upload: upload the photo and use the one in the response.",
    "REQUEST_ID_REUSED": "This key was used for another request: send a new key with what has changed.",
    "BEING_SAVED": "Ads of this photo are being saved: delete it again in a moment.",
    "STORAGE_FULL": "There is no room left to save anything: ask the operator of this service to free some space.",
    "STORE_DAMAGED": "A stored file is damaged, so nothing was changed: ask the operator of this service to look at"
    " `product-image doctor`.",
    "IN_PROGRESS": "A request with this key is in progress: wait for its response, then send it again.",
}
"""What people read, by reason. For any other reason they read the text of the service."""


class ApiError(Exception):
    """An error for the caller.

    Args:
        status: HTTP status.
        detail: What is wrong and what to do.
        reason: Stable UPPER_SNAKE_CASE reason for programs, if one is known.
        headers: Headers of the response.
        about: Fields of the body that name what it is about.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.reason = reason
        self.headers = headers
        self.about = dict(about or {})

    @property
    def body(self) -> dict[str, str]:
        """Body of the response."""
        return {"detail": self.detail} | ({"reason": self.reason} if self.reason else {}) | self.about


class ResponseCutOffError(Exception):
    """A stream failed after a part of the response was sent: no error can be sent any more, only the connection closed.

    Args:
        code: Name of the gRPC status with which it failed.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def internal_error_detail() -> str:
    """Return the text for unexpected errors."""
    return f"Something went wrong on our side. Quote request id {current_request_id()} when you report it."


def from_client_error(error: ProductImageError, capability: str) -> ApiError:
    """Return the error for the caller after a failed call. It names the capability, never a host or a trace.

    Args:
        error: Error of the client.
        capability: What the call was for, such as "cut-out".
    """
    status = STATUS_OF_REASON.get(error.reason) or HTTP_STATUS.get(error.code, 500)
    log.warning("call failed", capability=capability, code=error.code.name, message=error.message)
    if status == 500:
        return ApiError(status, internal_error_detail())
    if status == 503 and error.reason in SENTENCES:
        return ApiError(status, SENTENCES[error.reason], error.reason)
    if status == 503:
        return ApiError(status, f"The {capability} service is not available right now: try again in a moment.")
    if status == 504 and seconds_left() < 1:  # the service may have given up a moment earlier
        return ApiError(status, f"The request took too long, and was ended during {capability}: try again later.")
    if status == 504:
        return ApiError(status, f"The {capability} service took too long: try again, or send a smaller picture.")
    if error.reason:
        return ApiError(status, SENTENCES.get(error.reason, error.message), error.reason)
    if status == 429:
        return ApiError(status, f"The {capability} service is busy: try again in a few seconds.")
    return ApiError(500, internal_error_detail())


def unusable(capability: str) -> ApiError:
    """Return the error for a response of a service that cannot be right, such as a picture of another size."""
    log.error("unusable response", capability=capability)
    return ApiError(500, internal_error_detail())


@asynccontextmanager
async def calling(capability: str) -> AsyncIterator[None]:
    """Translate errors of clients inside the block.

    Args:
        capability: What the calls are for, such as "cut-out".

    Raises:
        ApiError: A call failed.
    """
    try:
        yield
    except ProductImageError as error:
        raise from_client_error(error, capability) from error


def as_api_error(error: Exception) -> ApiError:
    """Return the error for the caller of any exception, unexpected ones included."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ProductImageError):
        return from_client_error(error, "requested")
    status = next((status for kind, status in OWN_STATUS.items() if isinstance(error, kind)), 500)
    if status == 500 or not isinstance(error, ServiceError):
        log.error("request failed", exc_info=error)
        return ApiError(500, internal_error_detail())
    return ApiError(status, SENTENCES.get(error.reason, str(error)), error.reason)


def error_response(
    status: int, body: str | Mapping[str, str], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the response for an error, with Retry-After where trying again helps."""
    retry_after = RETRY_AFTER_SECONDS.get(status)
    own = {"Retry-After": retry_after} if retry_after else {}
    content = {"detail": body} if isinstance(body, str) else dict(body)
    return JSONResponse(content, status, {**own, **(headers or {})})


def add_error_handlers(app: FastAPI) -> None:
    """Give every error the same shape of body."""
    for kind in (ApiError, ProductImageError, ServiceError):
        app.add_exception_handler(kind, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)


async def _known_error(_: Request, error: Exception) -> JSONResponse:
    known = as_api_error(error)
    return error_response(known.status, known.body, known.headers)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return error_response(error.status_code, str(error.detail), headers)


def _allowed(request: Request) -> str:
    """Return the methods of a path; a route knows only its own."""
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    wanted = request.url.path.split("/")
    for path, methods in paths.items():
        parts = path.split("/")
        if len(parts) == len(wanted) and all(
            part == given or part.startswith("{") for part, given in zip(parts, wanted, strict=True)
        ):
            named = {method.upper() for method in methods}
            return ", ".join(sorted(named | ({"HEAD"} if "GET" in named else set())))
    return "GET, HEAD"


async def _validation_error(_: Request, error: Exception) -> JSONResponse:
    """FastAPI would return a list; the frontend shows `detail` as it is."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any(problem["type"] == "json_invalid" for problem in error.errors()):
        return error_response(400, "The request is not valid JSON.")
    problems = [f"{problem['loc'][-1]}: {_problem_text(problem)}" for problem in error.errors()]
    return error_response(422, "Check these fields: " + "; ".join(problems))


def _problem_text(problem: "dict[str, object]") -> str:
    message = str(problem["msg"])
    if "UploadFile" in message:
        return "must be a file"
    return "is missing" if problem["type"] == "missing" else message
