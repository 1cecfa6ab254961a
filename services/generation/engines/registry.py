"""Selection of the generation engines, once at start, by settings.

Engines are imported where they are selected, so that a process that renders does not load a cloud's client.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from common.errors import StartError
from common.serving.engines import Choice, EngineRegistry, Reason
from services.generation.engines.base import BackgroundEngine, CopyEngine, Engines
from services.generation.engines.fallback import FallbackBackground, FallbackCopy
from services.generation.engines.models import EndedModelError, check_alive
from services.generation.engines.templates import Templates
from services.generation.settings import GenerationSettings

if TYPE_CHECKING:
    from services.generation.engines.openai.access import Access
    from services.generation.engines.set.set_engine import SetEngine

log = structlog.get_logger()

BACKGROUND = "GENERATION_BACKGROUND_ENGINE"
COPY = "GENERATION_COPY_ENGINE"
AWS = "AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID or AWS_ROLE_ARN"
IMAGES = "IMAGES_BASE_URL"
OPENAI = "OPENAI_KEY"
MODEL_SETTINGS = {IMAGES: "GENERATION_IMAGES_MODEL", AWS: "GENERATION_BEDROCK_MODEL"}
"""Setting that names the image model, by the setting that gives access to it."""


def load_engines(settings: GenerationSettings, registry: EngineRegistry) -> Engines:
    """Load the configured engines and report the choices.

    Raises:
        StartError: An engine is named in the settings but cannot be used.
    """
    registry.note_facts(packages=["numpy", "opencv-python-headless", "pillow"])
    model = _load_image_model(settings, registry)
    if model and not settings.background_fallback:
        return Engines(model, None, _load_copy(settings, registry))
    sets = _load_sets(settings, registry, is_chosen=model is None)
    background = FallbackBackground(model, sets) if model else sets
    return Engines(background, sets, _load_copy(settings, registry))


def _load_image_model(settings: GenerationSettings, registry: EngineRegistry) -> BackgroundEngine | None:
    """Load the image model that is named, or under "auto" the first that is configured."""
    requested = settings.background_engine
    if requested == "images" or (requested == "auto" and settings.images_base_url):
        from services.generation.engines.openai.access import to_images
        from services.generation.engines.openai.images import Images

        return _usable(lambda: Images(to_images(settings), settings), IMAGES, settings, registry)
    if requested == "bedrock" or (requested == "auto" and settings.can_use_bedrock):
        from services.generation.engines.bedrock.bedrock import Bedrock

        return _usable(lambda: Bedrock(settings), AWS, settings, registry)
    return None


def _usable(
    load: Callable[[], BackgroundEngine], subject: str, settings: GenerationSettings, registry: EngineRegistry
) -> BackgroundEngine | None:
    """Load an image model; under "auto", None if its model has ended."""
    is_requested = settings.background_engine != "auto"
    try:
        engine = load()
    except EndedModelError as error:
        setting = MODEL_SETTINGS[subject]
        if is_requested:
            raise StartError(f"{setting}: {error}") from None
        log.warning("model has ended", setting=setting, problem=str(error))
        return None
    reason = Reason.REQUESTED if is_requested else Reason.AVAILABLE
    registry.report_choice(Choice("background", engine.name, reason, BACKGROUND if is_requested else subject))
    return engine


def _load_sets(settings: GenerationSettings, registry: EngineRegistry, *, is_chosen: bool) -> "SetEngine":
    from services.generation.engines.set.set_engine import SetEngine

    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, settings.set_samples)
    engine.warm()
    if is_chosen and settings.background_engine == "set":
        registry.report_choice(Choice("background", engine.name, Reason.REQUESTED, BACKGROUND))
    elif is_chosen:
        registry.report_choice(
            Choice("background", engine.name, Reason.FALLBACK, f"{IMAGES}, {AWS}", "AWS_BEARER_TOKEN_BEDROCK=...")
        )
    registry.note_facts(packages=["mitsuba", "drjit"])
    renderer = engine.renderer
    if renderer.is_fast:
        registry.report_choice(Choice("renderer", renderer.variant, Reason.AVAILABLE, renderer.library))
    else:
        remedy = "install libLLVM 17 or newer (Debian: apt install libllvm19)"
        registry.report_choice(Choice("renderer", renderer.variant, Reason.FALLBACK, "libLLVM", remedy))
    return engine


def _load_copy(settings: GenerationSettings, registry: EngineRegistry) -> CopyEngine:
    access, subject = _language_model(settings)
    if access is None:
        is_requested = settings.copy_engine == "templates"
        reason = Reason.REQUESTED if is_requested else Reason.FALLBACK
        remedy = "" if is_requested else f"{OPENAI}=..."
        registry.report_choice(Choice("copy", Templates.name, reason, COPY if is_requested else OPENAI, remedy))
        return Templates()
    from services.generation.engines.openai.language_model import LanguageModel

    engine = LanguageModel(access, settings)
    is_requested = settings.copy_engine != "auto"
    reason = Reason.REQUESTED if is_requested else Reason.AVAILABLE
    registry.report_choice(Choice("copy", engine.name, reason, COPY if is_requested else subject))
    return FallbackCopy(engine, Templates()) if settings.copy_fallback else engine


def _language_model(settings: GenerationSettings) -> "tuple[Access | None, str]":
    """Return access to the language model that is named or configured, and the setting behind it; None if none is.

    Raises:
        StartError: The one that is named cannot be used.
    """
    requested, key = settings.copy_engine, settings.openai_key
    if requested == "templates":
        return None, COPY
    if requested == "openai" and key is None:
        raise StartError(f"{COPY}=openai needs {OPENAI}")
    is_direct = key is not None and requested != "bedrock"
    if not is_direct and requested == "auto" and not settings.can_use_bedrock:
        return None, OPENAI
    from services.generation.engines.openai.access import directly, on_bedrock

    access = directly(key.get_secret_value(), settings) if is_direct and key else on_bedrock(settings)
    try:
        check_alive(access.engine)
    except EndedModelError as error:
        if requested != "auto":
            raise StartError(f"{access.model_setting}: {error}") from None
        log.warning("model has ended", setting=access.model_setting, problem=str(error))
        return None, OPENAI
    return access, OPENAI if is_direct else AWS
