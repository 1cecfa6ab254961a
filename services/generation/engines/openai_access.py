"""Access to OpenAI's language models: directly, or on Amazon Bedrock with an AWS identity."""

from dataclasses import dataclass

from openai import OpenAI
from openai.providers import bedrock

from common.aws import aws_session
from services.generation.engines.bedrock.api_key import ApiKey
from services.generation.settings import GenerationSettings


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
    """

    client: OpenAI
    model: str
    engine: str
    vendor: str
    credentials: str
    model_setting: str


def directly(key: str, settings: GenerationSettings) -> Access:
    """Return access at OpenAI, or at a server that speaks its API.

    Args:
        key: API key.
        settings: Model and base URL.
    """
    client = OpenAI(api_key=key, base_url=settings.openai_base_url, max_retries=0)
    model = settings.openai_model
    return Access(client, model, f"openai/{model}", "OpenAI", "OPENAI_KEY", "GENERATION_OPENAI_MODEL")


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
    return Access(
        OpenAI(provider=provider, max_retries=0),
        model,
        f"bedrock/{model}",
        "Bedrock",
        credentials,
        "GENERATION_BEDROCK_COPY_MODEL",
    )
