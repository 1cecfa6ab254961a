"""Access to models through OpenAI's API: language models directly or on Amazon Bedrock, and servers of pictures."""

from dataclasses import dataclass
from datetime import date

from openai import DefaultHttpxClient, OpenAI
from openai.providers import bedrock

from common.aws import aws_session
from services.generation.engines.bedrock.api_key import ApiKey
from services.generation.settings import GenerationSettings

LANGUAGE_MODEL = "language model"
END_SECONDS = 10
OPENAI = "https://api.openai.com/v1"
NO_KEY = "none"
"""Key for servers that want none; the client needs some."""


@dataclass(frozen=True)
class Access:
    """Access to a model.

    Attributes:
        client: Client; it does not retry.
        model: Id of the model.
        engine: Name of the engine in responses and records.
        vendor: Who is asked, for people.
        credentials: Settings with which it is asked, for people.
        model_setting: Setting that names the model.
        what: What the model is, for people.
        http: HTTP client of the client.
    """

    client: OpenAI
    model: str
    engine: str
    vendor: str
    credentials: str
    model_setting: str
    what: str
    http: DefaultHttpxClient


def directly(key: str, settings: GenerationSettings) -> Access:
    """Return access at OpenAI, or at a server that speaks its API.

    Args:
        key: API key.
        settings: Model and base URL.
    """
    http = DefaultHttpxClient()
    client = OpenAI(api_key=key, base_url=settings.openai_base_url, max_retries=0, http_client=http)
    model = settings.openai_model
    return Access(
        client, model, f"openai/{model}", "OpenAI", "OPENAI_KEY", "GENERATION_OPENAI_MODEL", LANGUAGE_MODEL, http
    )


def on_bedrock(settings: GenerationSettings) -> Access:
    """Return access on Bedrock, with an API key of Bedrock or the AWS credentials.

    Raises:
        StartError: A role is configured, but no credentials to assume it with.
    """
    key = ApiKey.of(settings)
    region, base_url = settings.bedrock_copy_region, settings.bedrock_copy_base_url
    if key:
        provider = bedrock(region=region, base_url=base_url, token_provider=key.current)
    else:
        session = aws_session(settings)
        provider = bedrock(region=region, base_url=base_url, credential_provider=session.get_credentials)
    model = settings.bedrock_copy_model
    credentials = "AWS_BEARER_TOKEN_BEDROCK" if key else "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ROLE_ARN"
    http = DefaultHttpxClient()
    client = OpenAI(provider=provider, max_retries=0, http_client=http)
    setting = "GENERATION_BEDROCK_COPY_MODEL"
    return Access(client, model, f"bedrock/{model}", "Bedrock", credentials, setting, LANGUAGE_MODEL, http)


def to_images(settings: GenerationSettings) -> Access:
    """Return access to a server of pictures; OpenAI's own, with its key, if no address is set."""
    key = settings.images_key or (None if settings.images_base_url else settings.openai_key)
    http = DefaultHttpxClient()
    client = OpenAI(
        api_key=key.get_secret_value() if key else NO_KEY,
        base_url=settings.images_base_url or OPENAI,
        max_retries=0,
        http_client=http,
    )
    model, setting = settings.images_model, "GENERATION_IMAGES_MODEL"
    return Access(client, model, f"images/{model}", "The image server", "IMAGES_KEY", setting, "image model", http)


def end_of(access: Access) -> date | None:
    """Return the day on which the vendor shuts a model, if it says one.

    Raises:
        OpenAIError: It does not answer, or does not say of single models.
    """
    model = access.client.models.retrieve(access.model, timeout=END_SECONDS)
    return date.fromisoformat(model.shutdown_date) if model.shutdown_date else None
