"""Selection of the generation engines, once at start, by settings.

Engines are imported where they are selected, so that a process that renders does not load a cloud's client.
"""

from typing import TYPE_CHECKING

from common.errors import StartError
from common.serving.engines import Choice, EngineRegistry, Reason
from services.generation.engines.base import BackgroundEngine, CopyEngine, Engines
from services.generation.engines.fallback import FallbackCopy
from services.generation.engines.templates import Templates
from services.generation.settings import GenerationSettings

if TYPE_CHECKING:
    from services.generation.engines.set.set_engine import SetEngine

BACKGROUND = "GENERATION_BACKGROUND_ENGINE"
COPY = "GENERATION_COPY_ENGINE"
AWS = "AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID or AWS_ROLE_ARN"


def load_engines(settings: GenerationSettings, registry: EngineRegistry) -> Engines:
    """Load the configured engines and report the choices.

    Raises:
        StartError: An engine is named in the settings but cannot be used.
    """
    background = _load_cloud_background(settings, registry)
    sets = None if background else _load_sets(settings, registry)
    return Engines(background, sets, _load_copy(settings, registry))


def _load_cloud_background(settings: GenerationSettings, registry: EngineRegistry) -> BackgroundEngine | None:
    requested = settings.background_engine
    if requested == "bedrock" or (requested == "auto" and settings.can_use_bedrock):
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
    return None


def _load_sets(settings: GenerationSettings, registry: EngineRegistry) -> "SetEngine":
    from services.generation.engines.set.set_engine import SetEngine

    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, settings.set_samples)
    engine.warm()
    if settings.background_engine == "set":
        registry.report_choice(Choice("background", engine.name, Reason.REQUESTED, BACKGROUND))
    else:
        registry.report_choice(Choice("background", engine.name, Reason.FALLBACK, AWS, "AWS_BEARER_TOKEN_BEDROCK=..."))
    renderer = engine.renderer
    if renderer.is_fast:
        registry.report_choice(Choice("renderer", renderer.variant, Reason.AVAILABLE, renderer.library))
    else:
        remedy = "install libLLVM 17 or newer (Debian: apt install libllvm19)"
        registry.report_choice(Choice("renderer", renderer.variant, Reason.FALLBACK, "libLLVM", remedy))
    return engine


def _load_copy(settings: GenerationSettings, registry: EngineRegistry) -> CopyEngine:
    requested, key = settings.copy_engine, settings.openai_key
    if requested == "openai" and key is None:
        raise StartError("GENERATION_COPY_ENGINE=openai needs OPENAI_KEY")
    if requested == "templates":
        registry.report_choice(Choice("copy", Templates.name, Reason.REQUESTED, COPY))
        return Templates()
    is_direct = key is not None and requested != "bedrock"
    if not is_direct and requested == "auto" and not settings.can_use_bedrock:
        registry.report_choice(Choice("copy", Templates.name, Reason.FALLBACK, "OPENAI_KEY", "OPENAI_KEY=..."))
        return Templates()
    from services.generation.engines.openai import OpenAi
    from services.generation.engines.openai_access import directly, on_bedrock

    access = directly(key.get_secret_value(), settings) if is_direct and key else on_bedrock(settings)
    engine = OpenAi(access, settings)
    if requested == "auto":
        registry.report_choice(Choice("copy", engine.name, Reason.AVAILABLE, "OPENAI_KEY" if is_direct else AWS))
    else:
        registry.report_choice(Choice("copy", engine.name, Reason.REQUESTED, COPY))
    return FallbackCopy(engine, Templates()) if settings.copy_fallback else engine
