"""Backgrounds from Amazon Bedrock."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from services.generation.background.calm import find_placement
from services.generation.background.engine import Background, Wish
from services.generation.background.prompt import build_prompt
from services.generation.background.stability import active_models, check_model, picture_in, request_body
from services.generation.cloud import COST, counted
from services.generation.settings import GenerationSettings
from services.runtime.aws import aws_session
from services.runtime.errors import (
    InvalidInputError,
    OverloadedError,
    PreconditionError,
    ServiceError,
    UnavailableError,
)
from services.runtime.image import Pixels, decode, rgb
from services.runtime.work import AbandonedError, pause, seconds_left

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

log = structlog.get_logger()

ATTEMPTS = 4
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 8.0
"""Between attempts, in seconds."""
CONNECT_SECONDS, READ_SECONDS = 10, 120
PASSING = {
    "ThrottlingException",
    "TooManyRequestsException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "ServiceUnavailableException",
    "InternalServerException",
}
"""Errors after which the same request may work."""
BUSY = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
BAD_KEYS = {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "InvalidClientTokenId",
    "IncompleteSignature",
    "ExpiredTokenException",
    "ExpiredToken",
    "AccessDenied",  # STS's, when the role may not be assumed
}


class Bedrock:
    """One of Stability's models. Safe to call from several threads.

    Args:
        settings: Model, region, credentials.

    Raises:
        ModelRefusedError: The model is dead, or none of Stability's.
    """

    def __init__(self, settings: GenerationSettings) -> None:
        check_model(settings.bedrock_model)
        self.name = f"bedrock/{settings.bedrock_model}"
        self.model = settings.bedrock_model
        self._settings = settings
        self._session: boto3.Session = aws_session(settings)
        self._making_client = threading.Lock()  # clients may be shared between threads, their making may not

    def generate(self, wish: Wish) -> Background:
        """See BackgroundEngine.

        Raises:
            ServiceError: No picture came; the text says what to do.
            AbandonedError: Nobody waits any more.
        """
        prompt = build_prompt(wish.product, wish.audience, wish.terms, stand_in=self._settings.prompt_stand_in)
        file = self._ask(request_body(prompt, wish.aspect_ratio, wish.seed))
        pixels = _cropped(rgb(decode(file, self._settings)), wish.aspect_ratio)
        placement = find_placement(pixels, wish.product_aspect_ratio)
        placement = replace(placement, stand_in=self._settings.prompt_stand_in)
        return Background(pixels, placement, prompt.recorded, self.name)

    def _ask(self, body: bytes) -> bytes:
        """Ask for a picture, a few times when the failure may pass."""
        tries = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=FIRST_PAUSE, max=LONGEST_PAUSE),
            sleep=pause,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            return tries(self._invoke, body)
        except (ClientError, BotoCoreError) as error:
            log.warning("bedrock failed", model=self.model, error=str(error))
            raise self._translated(error) from error

    def _invoke(self, body: bytes) -> bytes:
        client = self._client()
        with counted(self.name):
            answer = client.invoke_model(
                modelId=self.model, body=body, contentType="application/json", accept="application/json"
            )
            with closing(answer["body"]) as stream:
                picture = picture_in(stream.read())
        COST.labels(self.name).inc(self._settings.bedrock_dollars_per_picture)
        return picture

    def _client(self) -> "BedrockRuntimeClient":
        """Give a client that waits no longer than the call may take. Making one costs a few milliseconds."""
        left = seconds_left()
        if left < 1:
            raise AbandonedError
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, left),
            read_timeout=min(READ_SECONDS, left),
            retries={"total_max_attempts": 1},  # ours can be stopped
        )
        with self._making_client:
            return self._session.client(
                "bedrock-runtime",
                region_name=self._settings.bedrock_region,
                endpoint_url=self._settings.bedrock_endpoint_url,
                config=config,
            )

    def _translated(self, error: ClientError | BotoCoreError) -> ServiceError:
        if isinstance(error, NoCredentialsError | PartialCredentialsError):
            return PreconditionError(
                "There are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_ROLE_ARN.",
                "NO_CREDENTIALS",
            )
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        known = _MEANINGS.get(code)
        if known is not None:
            return known(self)
        if code in BAD_KEYS:
            return PreconditionError(
                "AWS does not accept the credentials: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ROLE_ARN.",
                "BAD_CREDENTIALS",
            )
        if code in BUSY:
            return OverloadedError("The image model is busy: try again in a minute.", "MODEL_BUSY")
        return UnavailableError("The image model does not answer.")

    @property
    def region(self) -> str:
        """Where the model is asked for."""
        return self._settings.bedrock_region


_MEANINGS: dict[str, Callable[[Bedrock], ServiceError]] = {
    "ResourceNotFoundException": lambda engine: PreconditionError(
        f"The image model {engine.model} is not there (any more) in {engine.region}: set GENERATION_BEDROCK_MODEL;"
        f" {active_models()}.",
        "MODEL_GONE",
    ),
    "AccessDeniedException": lambda engine: PreconditionError(
        f"AWS does not let these credentials use {engine.model} in {engine.region}: allow bedrock:InvokeModel for it,"
        " and request access to the model in the Bedrock console; or set GENERATION_BACKGROUND_ENGINE=studio.",
        "ACCESS_DENIED",
    ),
    "ValidationException": lambda _: InvalidInputError(
        "The image model does not accept the request: describe the product in fewer or other words.", "NOT_ACCEPTED"
    ),
}


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "") in PASSING
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return False
    return isinstance(error, BotoCoreError)


def _log_retry(state: RetryCallState) -> None:
    error: Any = state.outcome.exception() if state.outcome else None
    log.info("bedrock asked again", attempt=state.attempt_number, error=str(error))


def _cropped(pixels: Pixels, aspect_ratio: float) -> Pixels:
    """Cut the middle out, when the proportions are not those offered."""
    height, width = pixels.shape[:2]
    across, down = min(width, round(height * aspect_ratio)), min(height, round(width / aspect_ratio))
    left, top = (width - across) // 2, (height - down) // 2
    return pixels[top : top + down, left : left + across]
