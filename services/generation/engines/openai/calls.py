"""Calls of OpenAI's API: patience with what may pass, and errors that say what to do."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import openai
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from common.errors import InvalidInputError, OverloadedError, PreconditionError, ServiceError, UnavailableError
from common.serving.work import AbandonedError, pause
from productimage.context import seconds_left
from services.generation.engines.openai.access import Access

log = structlog.get_logger()

ATTEMPTS = 3
FIRST_PAUSE = 1.5
"""Pause before the second attempt, in seconds; doubled each time."""
FILTERED = ("moderation_blocked", "content_policy_violation", "content_filter")
"""Codes with which servers refuse what is asked for."""
Given = ParamSpec("Given")
Result = TypeVar("Result")


def patiently(
    access: Access, function: Callable[Given, Result], *arguments: Given.args, **named: Given.kwargs
) -> Result:
    """Call a function that asks a model, again if the failure may pass, until the caller has disconnected.

    Raises:
        ServiceError: The model did not answer; the message says what to do.
        AbandonedError: The caller disconnected, or the deadline is too close.
    """
    retrying = Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=FIRST_PAUSE),
        sleep=pause,
        before_sleep=_log_retry,
        reraise=True,
    )
    try:
        return retrying(function, *arguments, **named)
    except openai.OpenAIError as error:
        log.warning("model failed", engine=access.engine, error=type(error).__name__)
        raise translated(error, access) from error


def time_left(most: float) -> float:
    """Return the timeout of a request, in seconds.

    Raises:
        AbandonedError: The deadline is too close.
    """
    left = seconds_left()
    if left < 1:
        raise AbandonedError
    return min(most, left)


def _may_pass(error: BaseException) -> bool:
    passing = openai.APIConnectionError | openai.RateLimitError | openai.InternalServerError
    return isinstance(error, passing) and not _is_out_of_quota(error)


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("model asked again", attempt=state.attempt_number, error=type(error).__name__)


def _is_out_of_quota(error: BaseException) -> bool:
    return isinstance(error, openai.RateLimitError) and error.code == "insufficient_quota"


def translated(error: openai.OpenAIError, access: Access) -> ServiceError:
    """Return the error for callers. It names settings, never an answer of the server."""
    vendor, model, what = access.vendor, access.model, access.what
    if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
        return PreconditionError(f"{vendor} does not accept the key: check {access.credentials}.", "BAD_KEY")
    if isinstance(error, openai.NotFoundError):
        return PreconditionError(
            f"{vendor} has no model {model} for this key: set {access.model_setting} to one it has.", "MODEL_GONE"
        )
    if _is_out_of_quota(error):
        return PreconditionError(f"The {vendor} account has no credit left: add some, or use another key.", "NO_CREDIT")
    if isinstance(error, openai.RateLimitError):
        return OverloadedError(f"The {what} is busy: try again in a minute.", "MODEL_BUSY")
    if isinstance(error, openai.APITimeoutError):
        return UnavailableError(f"The {what} took too long.", "MODEL_SLOW")
    if isinstance(error, openai.APIStatusError) and error.code in FILTERED:
        return InvalidInputError(
            f"The {what}'s filter refused the words: describe the product in other words.", "PROMPT_FILTERED"
        )
    if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return InvalidInputError(
            f"The {what} does not accept the request: describe the product in fewer or other words.", "NOT_ACCEPTED"
        )
    return UnavailableError(f"The {what} does not answer.")
