"""Backgrounds from Amazon Bedrock."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from botocore.session import get_session
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from common.aws import aws_session
from common.errors import InvalidInputError, OverloadedError, PreconditionError, ServiceError, UnavailableError
from common.imaging.codec import decode, rgb
from common.labels import carries_credentials
from common.serving.work import AbandonedError, pause
from productimage.context import seconds_left
from services.generation.background.background import Background, BackgroundRequest, Origin
from services.generation.background.prompt import build_prompt
from services.generation.engines.bedrock.api_key import ApiKey
from services.generation.engines.bedrock.stability import check_model, picture_in, request_body
from services.generation.engines.cloud_metrics import COST, counted
from services.generation.engines.crop import cropped
from services.generation.engines.models import check_alive, living, price_of_picture
from services.generation.label.label import TRAINED
from services.generation.placement.calmest import find_placement
from services.generation.settings import BEARER_TOKEN, GenerationSettings

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

log = structlog.get_logger()

ATTEMPTS = 4
FIRST_PAUSE, MAX_PAUSE = 1.0, 8.0
"""Initial and maximum pause between attempts, in seconds."""
CONNECT_SECONDS, READ_SECONDS = 10, 120
END_SECONDS = 10
"""Timeout of the question when the model ends."""
PASSING = {
    "ThrottlingException",
    "TooManyRequestsException",
    "ModelNotReadyException",
    "ModelTimeoutException",
    "ServiceUnavailableException",
    "InternalServerException",
}
"""Codes of transient errors: the same request may succeed if repeated."""
BUSY = {"ThrottlingException", "TooManyRequestsException", "ServiceQuotaExceededException"}
BAD_KEYS = {
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "InvalidClientTokenId",
    "IncompleteSignature",
    "ExpiredTokenException",
    "ExpiredToken",
    "AccessDenied",  # from STS: the role may not be assumed
}


class Bedrock:
    """A Stability model on Amazon Bedrock. Thread-safe.

    Args:
        settings: Model, region, credentials.

    Raises:
        EndedModelError: The model has ended, or is not one of Stability's.
    """

    def __init__(self, settings: GenerationSettings) -> None:
        self.name = f"bedrock/{settings.bedrock_model}"
        check_alive(self.name)
        check_model(settings.bedrock_model)
        self.model = settings.bedrock_model
        self._settings = settings
        self.dollars_per_picture = price_of_picture(self.name, settings.bedrock_dollars_per_picture)
        self._key = ApiKey.of(settings)
        self._session: boto3.Session = _session_of(self._key) if self._key else aws_session(settings)
        self._making_client = threading.Lock()  # clients are thread-safe; creating them is not

    def ask_end(self) -> date | None:
        """See BackgroundEngine."""
        with closing(self.control()) as client:
            details = client.get_foundation_model(modelIdentifier=self.model).get("modelDetails", {})
        ends = details.get("modelLifecycle", {}).get("endOfLifeTime")
        return ends.date() if ends else None

    def control(self) -> "BedrockClient":
        """Return a client of Bedrock's control plane, to be closed."""
        with self._making_client:
            return self._session.client(
                "bedrock",
                region_name=self._settings.bedrock_region,
                endpoint_url=self._settings.bedrock_endpoint_url,
                config=Config(
                    connect_timeout=END_SECONDS,
                    read_timeout=END_SECONDS,
                    retries={"total_max_attempts": 1},
                    signature_version="bearer" if self._key else None,
                ),
            )

    def generate(self, request: BackgroundRequest) -> Background:
        """See BackgroundEngine.

        Raises:
            ServiceError: The model returned no picture; the message says what to do.
            AbandonedError: The caller disconnected, or the deadline is too close.
        """
        stand_in = self._settings.prompt_stand_in
        prompt = build_prompt(
            request.product, request.audience, request.terms, request.preferences, stand_in=stand_in, zone=request.zone
        )
        file = self._ask(request_body(prompt, request.aspect_ratio, request.seed))
        pixels = cropped(rgb(decode(file, self._settings)), request.aspect_ratio)
        placement = find_placement(pixels, request.product_aspect_ratio)
        placement = replace(placement, stand_in=stand_in)
        origin = Origin(TRAINED[0], file if carries_credentials(file) else b"")
        return Background(pixels, placement, prompt.recorded, self.name, self.dollars_per_picture, origin)

    def _ask(self, body: bytes) -> bytes:
        """Request a picture, retrying transient failures."""
        tries = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential_jitter(multiplier=FIRST_PAUSE, max=MAX_PAUSE),
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
        COST.labels(self.name).inc(self.dollars_per_picture)
        return picture

    def _client(self) -> "BedrockRuntimeClient":
        """Create a client whose timeouts respect the deadline. This takes a few milliseconds."""
        left = seconds_left()
        if left < 1:
            raise AbandonedError
        config = Config(
            connect_timeout=min(CONNECT_SECONDS, left),
            read_timeout=min(READ_SECONDS, left),
            retries={"total_max_attempts": 1},  # _ask retries instead: it can be cancelled
            signature_version="bearer" if self._key else None,
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
                "There are no AWS credentials: set AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY, or AWS_ROLE_ARN.",
                "NO_CREDENTIALS",
            )
        code = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
        known = _MEANINGS.get(code)
        if known is not None:
            return known(self)
        if code in BAD_KEYS:
            names = BEARER_TOKEN if self._key else "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ROLE_ARN"
            return PreconditionError(f"AWS does not accept the credentials: check {names}.", "BAD_CREDENTIALS")
        if code in BUSY:
            return OverloadedError("The image model is busy: try again in a minute.", "MODEL_BUSY")
        return UnavailableError("The image model does not answer.")

    @property
    def region(self) -> str:
        """AWS region of the model."""
        return self._settings.bedrock_region


_MEANINGS: dict[str, Callable[[Bedrock], ServiceError]] = {
    "ResourceNotFoundException": lambda engine: PreconditionError(
        f"The image model {engine.model} is not there (any more) in {engine.region}: set GENERATION_BEDROCK_MODEL;"
        f" {living(engine.name)}.",
        "MODEL_GONE",
    ),
    "AccessDeniedException": lambda engine: PreconditionError(
        f"AWS does not let these credentials use {engine.model} in {engine.region}: allow bedrock:InvokeModel for it,"
        " and request access to the model in the Bedrock console; or set GENERATION_BACKGROUND_ENGINE=set.",
        "ACCESS_DENIED",
    ),
    "ValidationException": lambda _: InvalidInputError(
        "The image model does not accept the request: describe the product in fewer or other words.", "NOT_ACCEPTED"
    ),
}


def _session_of(key: ApiKey) -> boto3.Session:
    session = get_session()
    key.add_to(session)
    return boto3.Session(botocore_session=session)


def _may_pass(error: BaseException) -> bool:
    if isinstance(error, ClientError):
        return error.response.get("Error", {}).get("Code", "") in PASSING
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return False
    return isinstance(error, BotoCoreError)


def _log_retry(state: RetryCallState) -> None:
    error: Any = state.outcome.exception() if state.outcome else None
    log.info("bedrock asked again", attempt=state.attempt_number, error=str(error))
