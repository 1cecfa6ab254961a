"""What an inpainting engine is, and the choice of one at start."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.inpainting.settings import InpaintingSettings
from services.runtime.engines import Choice, Reason, announce
from services.runtime.image import Pixels
from services.runtime.server import StartError

Mask = NDArray[np.bool_]

DEEPFILL_FILES = ("deepfill*.pth", "states_*.pth", "snap-*.index")
"""Checkpoints of DeepFill v2 by the names that users have them under: PyTorch's, and TensorFlow's."""
MIGAN_FILE = "migan_pipeline_v2.onnx"


class Inpainter(Protocol):
    """An engine that fills holes. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    @property
    def native_size(self) -> int:
        """The longer side of a picture at which it works best, in pixels."""

    @property
    def largest_hole(self) -> int | None:
        """The longer side of the largest hole it was made for, in pixels; None: any."""

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        """Fill (N, H, W, 3) where the holes (N, H, W) are true; what it returns elsewhere does not matter."""


def choose_inpainter(settings: InpaintingSettings) -> Inpainter:
    """Load the engine that the settings ask for; auto: the first whose weights are in place.

    Raises:
        StartError: An engine was asked for by name and its weights are missing, or weights are damaged.
    """
    try:
        engine, choice = _choose(settings)
    except ValueError as error:
        raise StartError(str(error)) from None
    announce(choice)
    return engine


def _choose(settings: InpaintingSettings) -> tuple[Inpainter, Choice]:
    # Imported where needed, so that a process without torch can run the others.
    folder = settings.weights_dir
    asked = settings.engine
    deepfill = next((file for pattern in DEEPFILL_FILES for file in sorted(folder.glob(pattern))), None)
    if asked == "deepfill" and deepfill is None:
        raise StartError(f"INPAINTING_ENGINE=deepfill needs {_any_of(settings)}: put the weights there")
    if deepfill is not None and asked in ("auto", "deepfill"):
        from services.inpainting.deepfill.engine import DeepFill
        from services.runtime.device import choose_device

        engine = DeepFill.load(deepfill, choose_device(settings), settings)
        return engine, _choice(engine, settings, "found", str(deepfill))
    migan = folder / MIGAN_FILE
    if asked == "migan" and not migan.is_file():
        raise StartError(f"INPAINTING_ENGINE=migan needs {migan}: python -m weights fetch")
    if migan.is_file() and asked in ("auto", "migan"):
        from services.inpainting.migan import MiGan

        # No remedy: DeepFill's weights may not be used for ads that are sold.
        return (found := MiGan.load(migan)), _choice(found, settings, "found", str(migan))
    from services.inpainting.opencv import OpenCv

    return (plain := OpenCv()), _choice(plain, settings, "lacking", str(migan), "python -m weights fetch")


def _choice(engine: Inpainter, settings: InpaintingSettings, reason: Reason, subject: str, remedy: str = "") -> Choice:
    if settings.engine != "auto":
        return Choice("inpainting", engine.name, "asked for", "INPAINTING_ENGINE")
    return Choice("inpainting", engine.name, reason, subject, remedy)


def _any_of(settings: InpaintingSettings) -> str:
    return " or ".join(str(settings.weights_dir / pattern) for pattern in DEEPFILL_FILES)
