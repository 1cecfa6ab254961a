"""The engines, chosen at start by what the settings say."""

from dataclasses import dataclass

import structlog

from services.generation.audience import Audience, Product
from services.generation.background.engine import BackgroundEngine
from services.generation.copy.engine import Copy, CopyEngine
from services.generation.copy.templates import Templates
from services.generation.settings import GenerationSettings
from services.runtime.engines import Choice, announce
from services.runtime.errors import ServiceError
from services.runtime.server import StartError

log = structlog.get_logger()

BACKGROUND = "GENERATION_BACKGROUND_ENGINE"
AWS = "AWS_ACCESS_KEY_ID or AWS_ROLE_ARN"


@dataclass(frozen=True)
class Engines:
    """The engines chosen at start."""

    background: BackgroundEngine
    copy: CopyEngine


class WithFallback:
    """Lets templates write when the other engine fails, and says so."""

    def __init__(self, first: CopyEngine, second: CopyEngine) -> None:
        self.name = first.name
        self._first, self._second = first, second

    def write(self, product: Product, audience: Audience, locale: str) -> Copy:
        """See CopyEngine."""
        try:
            return self._first.write(product, audience, locale)
        except ServiceError as error:
            log.warning("copy fell back", engine=self._second.name, reason=error.reason)
            copy = self._second.write(product, audience, locale)
            return Copy(copy.short_ad, copy.long_ad, copy.engine, note=f"Written from templates. {error}")


def choose_engines(settings: GenerationSettings) -> Engines:
    """Make the engines that the settings ask for.

    Raises:
        StartError: One was asked for by name, and cannot be used.
    """
    return Engines(_choose_background(settings), _choose_copy(settings))


def _choose_background(settings: GenerationSettings) -> BackgroundEngine:
    # Imported where needed, so that a process without boto3 can render.
    asked = settings.background_engine
    if asked == "bedrock" or (asked == "auto" and settings.names_aws_identity):
        from services.generation.background.bedrock import Bedrock
        from services.generation.background.stability import ModelRefusedError

        try:
            engine = Bedrock(settings)
        except ModelRefusedError as error:
            raise StartError(f"GENERATION_BEDROCK_MODEL: {error}") from None
        if asked == "bedrock":
            announce(Choice("background", engine.name, "asked for", BACKGROUND))
        else:
            announce(Choice("background", engine.name, "found", AWS))
        return engine
    from services.generation.background.studio.engine import Studio

    studio = Studio(stand_in=settings.studio_stand_in)
    if asked == "studio":
        announce(Choice("background", studio.name, "asked for", BACKGROUND))
    else:
        announce(Choice("background", studio.name, "lacking", AWS, "AWS_ACCESS_KEY_ID=..., AWS_SECRET_ACCESS_KEY=..."))
    return studio


def _choose_copy(settings: GenerationSettings) -> CopyEngine:
    asked, key = settings.copy_engine, settings.openai_key
    if asked == "openai" and key is None:
        raise StartError("GENERATION_COPY_ENGINE=openai needs OPENAI_KEY")
    if asked == "templates":
        announce(Choice("copy", Templates.name, "asked for", "GENERATION_COPY_ENGINE"))
        return Templates()
    if key is None:
        announce(Choice("copy", Templates.name, "lacking", "OPENAI_KEY", "OPENAI_KEY=..."))
        return Templates()
    from services.generation.copy.openai import OpenAi

    engine = OpenAi(key.get_secret_value(), settings)
    announce(Choice("copy", engine.name, "found", "OPENAI_KEY"))
    return WithFallback(engine, Templates()) if settings.copy_fallback else engine
