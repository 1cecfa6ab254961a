"""What an inpainting engine is, and the choice of one at start."""

from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from services.inpainting.settings import InpaintingSettings
from services.runtime.image import Pixels
from services.runtime.server import StartError

log = structlog.get_logger()

Mask = NDArray[np.bool_]

MIGAN_FILE = "migan_pipeline_v2.onnx"


class Inpainter(Protocol):
    """An engine that fills holes. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    @property
    def native_size(self) -> int | None:
        """The longer side at which it works best, in pixels; None: any."""

    def fill(self, picture: Pixels, hole: Mask) -> Pixels:
        """Fill (H, W, 3) where the hole (H, W) is true; what it returns elsewhere does not matter."""


def choose_inpainter(settings: InpaintingSettings) -> Inpainter:
    """Load the engine that the settings ask for.

    Raises:
        StartError: An engine was asked for by name and its weights are missing or damaged.
    """
    from services.inpainting.opencv import OpenCv

    path = settings.weights_dir / MIGAN_FILE
    if settings.engine == "opencv" or (settings.engine == "auto" and not path.is_file()):
        why = "asked for" if settings.engine == "opencv" else f"{path} missing: python -m weights fetch"
        log.info("engine", capability="inpainting", engine=OpenCv.name, why=why)
        return OpenCv()
    if not path.is_file():
        raise StartError(f"INPAINTING_ENGINE=migan needs {path}: python -m weights fetch")
    from services.inpainting.migan import MiGan

    try:
        engine = MiGan.load(path)
    except ValueError as error:
        raise StartError(str(error)) from None
    log.info("engine", capability="inpainting", engine=engine.name, why="its weights are in place")
    return engine
