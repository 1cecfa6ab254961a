"""`python -m services.generation.check`: whether the configured cloud models can be used, and how long they live."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime

from openai import APIStatusError, NotFoundError, OpenAIError

from common.aws import AWS_ERRORS, finding_for
from common.findings import Finding, print_findings
from common.settings import read_settings
from services.generation.engines.bedrock.bedrock import Bedrock
from services.generation.engines.models import (
    STALE_DAYS,
    WARNING_DAYS,
    EndedModelError,
    check_alive,
    days_left,
    known_model,
    living,
    read_on,
)
from services.generation.engines.openai.access import Access, directly, end_of, on_bedrock, to_images
from services.generation.settings import GenerationSettings


def findings(settings: GenerationSettings) -> Iterator[Finding]:
    """Check the models of the configuration, if it has some. No finding contains a secret."""
    for check in (_image_model, _language_model):
        yield check(settings)
    age = (datetime.now(UTC).date() - read_on()).days
    fix = "" if age <= STALE_DAYS else "update, or set the prices: GENERATION_*_DOLLARS_PER_*"
    yield Finding("prices of models", not fix, f"as of {read_on()}, {age} days old", fix)


def _image_model(settings: GenerationSettings) -> Finding:
    requested = settings.background_engine
    if requested == "images" or (requested == "auto" and settings.images_base_url):
        return _through_openai("image server", to_images(settings), "correct IMAGES_BASE_URL")
    if requested == "bedrock" or (requested == "auto" and settings.can_use_bedrock):
        try:
            return _bedrock(settings)
        except EndedModelError as error:
            return Finding("Bedrock", ok=False, detail=str(error), fix="set GENERATION_BEDROCK_MODEL")
        except AWS_ERRORS as error:
            return finding_for("Bedrock", error)
    return Finding("image model", ok=True, detail="not used: backgrounds are rendered")


def _bedrock(settings: GenerationSettings) -> Finding:
    engine = Bedrock(settings)
    with closing(engine.control()) as client:
        found = client.get_foundation_model_availability(modelId=engine.model)
    state = found["authorizationStatus"].lower().replace("_", " ")
    if found["authorizationStatus"] != "AUTHORIZED" or found["regionAvailability"] != "AVAILABLE":
        fix = f"request access to {engine.model} in {engine.region}, in the Bedrock console"
        return Finding("Bedrock", ok=False, detail=f"{engine.model}: {state}", fix=fix)
    return _with_end("Bedrock", engine.name, state, "GENERATION_BEDROCK_MODEL", lambda: _end_in_bedrock(engine))


def _end_in_bedrock(engine: Bedrock) -> date | None:
    try:
        return engine.ask_end()
    except AWS_ERRORS:  # a right that using the model does not need
        return None


def _language_model(settings: GenerationSettings) -> Finding:
    requested, key = settings.copy_engine, settings.openai_key
    if key and requested in ("auto", "openai"):
        return _through_openai("OpenAI", directly(key.get_secret_value(), settings), "correct OPENAI_KEY")
    if requested == "bedrock" or (requested == "auto" and settings.can_use_bedrock):
        try:
            return _through_openai("language model on Bedrock", on_bedrock(settings), "correct the AWS credentials")
        except AWS_ERRORS as error:
            return finding_for("language model on Bedrock", error)
    return Finding("language model", ok=True, detail="not used: copy comes from templates")


def _through_openai(subject: str, access: Access, fix: str) -> Finding:
    """Ask a server for its model."""
    try:
        check_alive(access.engine)
        with access.client:
            return _with_end(subject, access.engine, "can be used", access.model_setting, lambda: end_of(access))
    except EndedModelError as error:
        return Finding(subject, ok=False, detail=str(error), fix=f"set {access.model_setting}")
    except NotFoundError:
        if subject == "image server":
            return Finding(subject, ok=True, detail=f"answers, and does not tell of {access.model}")
        return Finding(subject, ok=False, detail=f"{access.model}: status 404", fix=f"correct {access.model_setting}")
    except APIStatusError as error:
        fix = fix if error.status_code in (401, 403) else "try again later"
        return Finding(subject, ok=False, detail=f"{access.model}: status {error.status_code}", fix=fix)
    except OpenAIError as error:
        return Finding(subject, ok=False, detail=str(error), fix="check the network and the base URL")


def _with_end(subject: str, engine: str, state: str, setting: str, ask: Callable[[], date | None]) -> Finding:
    """Return a finding on a model that can be used: how long it lives."""
    name = engine.partition("/")[2]
    ends = ask() or known_model(engine).ends
    if ends is None:
        return Finding(subject, ok=True, detail=f"{name}: {state}; no end is announced")
    detail = f"{name}: {state}; ends on {ends}, in {days_left(ends)} days"
    fix = f"set {setting}; {living(engine)}" if days_left(ends) <= WARNING_DAYS else ""
    return Finding(subject, not fix, detail, fix)


if __name__ == "__main__":
    print_findings(findings(read_settings(GenerationSettings)))
