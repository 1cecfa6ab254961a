"""What a segmentation engine is, and the choice of one at start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from services.runtime.image import Pixels
from services.runtime.server import StartError
from services.segmentation.settings import SegmentationSettings

log = structlog.get_logger()

Probability = NDArray[np.float32]
Mask = NDArray[np.bool_]

MOBILE_SAM_FILE = "mobile_sam.pt"
U2NETP_FILE = "u2netp.onnx"


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class PromptPoint:
    """A place in pixels, on the object or not."""

    x: int
    y: int
    on_object: bool


@dataclass(frozen=True)
class Prompt:
    """What is to be segmented. At least one of the two is given."""

    points: tuple[PromptPoint, ...] = ()
    box: Box | None = None


@dataclass(frozen=True)
class Candidate:
    """One answer to a prompt.

    Attributes:
        probability: (H, W) float32, 0 to 1: how likely each pixel is the object's.
        score: How good the engine thinks the answer is, 0 to 1.
    """

    probability: Probability
    score: float


class Segmenter(Protocol):
    """An engine that segments what a prompt means. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    def segment(self, picture: Pixels, prompt: Prompt) -> Sequence[Candidate]:
        """Segment the prompted object in (H, W, 3); at least one candidate of the picture's size."""


class SaliencyFinder(Protocol):
    """An engine that tells how much each pixel draws the eye. Safe to call from several threads."""

    def find(self, picture: Pixels) -> Probability:
        """Give the saliency of (H, W, 3), as (H, W) float32, 0 to 1."""


@dataclass(frozen=True)
class Engines:
    """The engines chosen at start. Without a saliency finder, the middle of the picture is taken as salient."""

    segmenter: Segmenter
    saliency: SaliencyFinder | None


def choose_engines(settings: SegmentationSettings) -> Engines:
    """Load the engines that the settings ask for.

    Raises:
        StartError: An engine was asked for by name and its weights are missing or damaged.
    """
    # Imported here so that a process without torch can run GrabCut.
    from services.segmentation.grabcut import GrabCut

    sam_file, saliency_file = settings.weights_dir / MOBILE_SAM_FILE, settings.weights_dir / U2NETP_FILE
    missing = [str(path) for path in (sam_file, saliency_file) if not path.is_file()]
    saliency = _load_saliency(settings) if saliency_file.is_file() else None
    if settings.engine == "mobile_sam" and missing:
        raise StartError(f"SEGMENTATION_ENGINE=mobile_sam needs {' and '.join(missing)}: python -m weights fetch")
    if settings.engine == "grabcut" or missing:
        why = (
            "asked for" if settings.engine == "grabcut" else f"{' and '.join(missing)} missing: python -m weights fetch"
        )
        log.info("engine", capability="cut-out", engine=GrabCut.name, why=why)
        return Engines(GrabCut(), saliency)
    from services.segmentation.sam.engine import SamEngine

    try:
        engine = SamEngine.load(sam_file)
    except ValueError as error:
        raise StartError(str(error)) from None
    log.info("engine", capability="cut-out", engine=engine.name, why="its weights are in place")
    return Engines(engine, saliency)


def _load_saliency(settings: SegmentationSettings) -> SaliencyFinder:
    from services.segmentation.saliency import U2Net

    try:
        return U2Net.load(settings.weights_dir / U2NETP_FILE)
    except ValueError as error:
        raise StartError(str(error)) from None
