"""`python -m services.generation.check`: whether the configured cloud models can be used."""

from collections.abc import Iterator
from contextlib import closing

from botocore.config import Config
from openai import APIStatusError, OpenAI, OpenAIError

from common.aws import AWS_ERRORS, aws_session, finding_for
from common.findings import Finding, print_findings
from common.settings import read_settings
from services.generation.settings import GenerationSettings

SHORT_TIMEOUTS = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


def findings(settings: GenerationSettings) -> Iterator[Finding]:
    """Check access to Bedrock and OpenAI, if they are configured. No finding contains a secret."""
    try:
        yield _bedrock(settings)
    except AWS_ERRORS as error:
        yield finding_for("Bedrock", error)
    try:
        yield _openai(settings)
    except OpenAIError as error:
        yield Finding("OpenAI", ok=False, detail=str(error), fix="check the network and the base URL")


def _bedrock(settings: GenerationSettings) -> Finding:
    engine, model = settings.background_engine, settings.bedrock_model
    if engine == "set" or (engine == "auto" and not settings.names_aws_identity):
        return Finding("Bedrock", ok=True, detail="not used: backgrounds are rendered")
    with closing(
        aws_session(settings).client(
            "bedrock",
            region_name=settings.bedrock_region,
            endpoint_url=settings.bedrock_endpoint_url,
            config=SHORT_TIMEOUTS,
        )
    ) as client:
        found = client.get_foundation_model_availability(modelId=model)
    granted = found["authorizationStatus"] == "AUTHORIZED" and found["regionAvailability"] == "AVAILABLE"
    fix = "" if granted else f"request access to {model} in {settings.bedrock_region}, in the Bedrock console"
    return Finding("Bedrock", granted, f"{model}: {found['authorizationStatus'].lower().replace('_', ' ')}", fix)


def _openai(settings: GenerationSettings) -> Finding:
    if settings.openai_key is None or settings.copy_engine == "templates":
        return Finding("OpenAI", ok=True, detail="not used: copy comes from templates")
    key, base_url = settings.openai_key.get_secret_value(), settings.openai_base_url
    try:
        with OpenAI(api_key=key, base_url=base_url, timeout=10, max_retries=0) as client:
            client.models.retrieve(settings.openai_model)
    except APIStatusError as error:
        fixes = {401: "correct OPENAI_KEY", 404: "correct GENERATION_OPENAI_MODEL"}
        fix = fixes.get(error.status_code, "try again later")
        return Finding("OpenAI", ok=False, detail=f"{settings.openai_model}: status {error.status_code}", fix=fix)
    return Finding("OpenAI", ok=True, detail=f"{settings.openai_model} can be used")


if __name__ == "__main__":
    print_findings(findings(read_settings(GenerationSettings)))
