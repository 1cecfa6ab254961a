"""Selection of the generation engines, once at start, by settings.

Engines are imported where they are selected, so that a process that renders does not load a cloud's client.
"""

from common.errors import StartError
from common.serving.engines import Choice, EngineRegistry, Reason
from services.generation.engines.base import BackgroundEngine, CopyEngine, Engines
from services.generation.engines.fallback import FallbackCopy
from services.generation.engines.templates import Templates
from services.generation.settings import GenerationSettings

BACKGROUND = "GENERATION_BACKGROUND_ENGINE"
COPY = "GENERATION_COPY_ENGINE"
AWS = "AWS_ACCESS_KEY_ID or AWS_ROLE_ARN"


def load_engines(settings: GenerationSettings, registry: EngineRegistry) -> Engines:
    """Load the configured engines and report the choices.

    Raises:
        StartError: An engine is named in the settings but cannot be used.
    """
    return Engines(_load_background(settings, registry), _load_copy(settings, registry))


def _load_background(settings: GenerationSettings, registry: EngineRegistry) -> BackgroundEngine:
    requested = settings.background_engine
    if requested == "bedrock" or (requested == "auto" and settings.names_aws_identity):
        from services.generation.engines.bedrock.bedrock import Bedrock
        from services.generation.engines.bedrock.stability import ModelRefusedError

        try:
            engine = Bedrock(settings)
        except ModelRefusedError as error:
            raise StartError(f"GENERATION_BEDROCK_MODEL: {error}") from None
        if requested == "bedrock":
            registry.report_choice(Choice("background", engine.name, Reason.REQUESTED, BACKGROUND))
        else:
            registry.report_choice(Choice("background", engine.name, Reason.AVAILABLE, AWS))
        return engine
    from services.generation.engines.set.set_engine import SetEngine

    rendered = SetEngine(stand_in=settings.set_stand_in)
    if requested == "set":
        choice = Choice("background", rendered.name, Reason.REQUESTED, BACKGROUND)
    else:
        remedy = "AWS_ACCESS_KEY_ID=..., AWS_SECRET_ACCESS_KEY=..."
        choice = Choice("background", rendered.name, Reason.FALLBACK, AWS, remedy)
    registry.report_choice(choice)
    return rendered


def _load_copy(settings: GenerationSettings, registry: EngineRegistry) -> CopyEngine:
    requested, key = settings.copy_engine, settings.openai_key
    if requested == "openai" and key is None:
        raise StartError("GENERATION_COPY_ENGINE=openai needs OPENAI_KEY")
    if requested == "templates":
        registry.report_choice(Choice("copy", Templates.name, Reason.REQUESTED, COPY))
        return Templates()
    if key is None:
        registry.report_choice(Choice("copy", Templates.name, Reason.FALLBACK, "OPENAI_KEY", "OPENAI_KEY=..."))
        return Templates()
    from services.generation.engines.openai import OpenAi

    engine = OpenAi(key.get_secret_value(), settings)
    if requested == "openai":
        registry.report_choice(Choice("copy", engine.name, Reason.REQUESTED, COPY))
    else:
        registry.report_choice(Choice("copy", engine.name, Reason.AVAILABLE, "OPENAI_KEY"))
    return FallbackCopy(engine, Templates()) if settings.copy_fallback else engine
