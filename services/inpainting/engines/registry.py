"""Selection of the inpainting engine, once at start, by settings and by the weights that are present.

Engines are imported where they are selected, so that a process without torch can run the others.
"""

from pathlib import Path

from common.errors import StartError
from common.models.weights import first_file
from common.serving.engines import Choice, EngineRegistry, Reason
from services.inpainting.engines.base import Inpainter
from services.inpainting.settings import InpaintingSettings

DEEPFILL_FILES = ("deepfill*.pth", "states_*.pth", "deepfill*.safetensors")
"""Checkpoints of DeepFill v2, under the names that users have them, and converted ones."""
UNCONVERTED = "snap-*.index"
MIGAN_FILE = "migan_pipeline_v2.onnx"
FETCH = "python -m weights fetch"


def load_engine(settings: InpaintingSettings, registry: EngineRegistry) -> Inpainter:
    """Load the configured engine and report the choice; auto takes the first whose weights are present.

    Raises:
        StartError: An engine is named in the settings but its weights are missing, or a weights file is damaged.
    """
    registry.note_facts(packages=["numpy", "opencv-python-headless"])
    try:
        engine, choice = _load(settings, registry)
    except ValueError as error:
        raise StartError(str(error)) from None
    if settings.engine != "auto":
        choice = Choice("inpainting", engine.name, Reason.REQUESTED, "INPAINTING_ENGINE")
    registry.report_choice(choice)
    return engine


def _load(settings: InpaintingSettings, registry: EngineRegistry) -> tuple[Inpainter, Choice]:
    deepfill = first_file(settings.weights_dir, *DEEPFILL_FILES)
    if settings.engine == "deepfill" and deepfill is None:
        raise StartError(f"INPAINTING_ENGINE=deepfill needs {_deepfill_names(settings.weights_dir)}")
    if deepfill is not None and settings.engine in ("auto", "deepfill"):
        from common.models.device import choose_device
        from services.inpainting.engines.deepfill.deepfill_engine import DeepFill

        engine = DeepFill.load(deepfill, choose_device(settings), settings)
        registry.note_facts(weights=[deepfill], packages=["torch"])
        return engine, Choice("inpainting", engine.name, Reason.AVAILABLE, str(deepfill))
    migan = settings.weights_dir / MIGAN_FILE
    if settings.engine == "migan" and not migan.is_file():
        raise StartError(f"INPAINTING_ENGINE=migan needs {migan}: {FETCH}")
    if migan.is_file() and settings.engine in ("auto", "migan"):
        from services.inpainting.engines.migan import MiGan

        registry.note_facts(weights=[migan], packages=["onnxruntime"])
        # No remedy: the weights of DeepFill may not be used for ads.
        return MiGan.load(migan), Choice("inpainting", MiGan.name, Reason.AVAILABLE, str(migan))
    from services.inpainting.engines.telea import Telea

    return Telea(), Choice("inpainting", Telea.name, Reason.FALLBACK, str(migan), FETCH)


def _deepfill_names(folder: Path) -> str:
    names = " or ".join(str(folder / pattern) for pattern in DEEPFILL_FILES)
    unconverted = first_file(folder, UNCONVERTED)
    return f"{names}: python -m weights convert {unconverted}" if unconverted else f"{names}: put the weights there"
