"""What a segmentation engine is, and the choice of one at start."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.runtime.engines import Choice, announce
from services.runtime.image import Pixels
from services.runtime.server import StartError
from services.segmentation.settings import SegmentationSettings

Probability = NDArray[np.float32]
Mask = NDArray[np.bool_]

SAM_FILES = {
    "vit_h": "sam_vit_h_4b8939.pth",
    "vit_l": "sam_vit_l_0b3195.pth",
    "vit_b": "sam_vit_b_01ec64.pth",
    "mobile_sam": "mobile_sam.pt",
}
"""Segment Anything's checkpoints, the best first."""
MASK_RCNN_FILES = ("maskrcnn_*.pth", "mask_rcnn_*.h5")
"""torchvision's checkpoints, and matterport's."""
MASK_RCNN_FILE = "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"
"""The best of them."""
SALIENCY_FILE = "u2netp.onnx"
BEST = next(iter(SAM_FILES))
FETCH = "python -m weights fetch"


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
class FoundObject:
    """An object in a picture.

    Attributes:
        label: What it is.
        score: 0 to 1.
        box: The smallest box that holds it.
        mask: (H, W), true = object.
    """

    label: str
    score: float
    box: Box
    mask: Mask


@dataclass(frozen=True)
class Wanted:
    """Which of the objects in a picture the caller wants.

    Attributes:
        labels: None given: any.
        min_score: 0 to 1.
        most: How many, the best first.
    """

    labels: Collection[str]
    min_score: float
    most: int

    def among(self, labels: list[str], scores: list[float]) -> list[int]:
        """Give the indices of those wanted, best first."""
        fitting = (
            index
            for index, (label, score) in enumerate(zip(labels, scores, strict=True))
            if score >= self.min_score and (not self.labels or label in self.labels)
        )
        return sorted(fitting, key=lambda index: -scores[index])[: self.most]


class Detector(Protocol):
    """An engine that finds every object of the classes it knows. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """As answers and records name it."""

    def detect(self, picture: Pixels, wanted: Wanted) -> Sequence[FoundObject]:
        """Find the objects in (H, W, 3), best first."""


@dataclass(frozen=True)
class Engines:
    """The engines chosen at start.

    Without a saliency finder, the middle of the picture is taken as salient; without a detector, objects are looked for
    with the segmenter.
    """

    segmenter: Segmenter
    saliency: SaliencyFinder | None
    detector: Detector | None = None


def choose_engines(settings: SegmentationSettings) -> Engines:
    """Load the engines that the settings ask for.

    Raises:
        StartError: An engine was asked for by name and its weights are missing, or a file of weights is damaged.
    """
    try:
        segmenter = _choose_segmenter(settings)
        return Engines(segmenter, _load_saliency(settings), _choose_detector(settings, segmenter))
    except ValueError as error:
        raise StartError(str(error)) from None


def _choose_segmenter(settings: SegmentationSettings) -> Segmenter:
    # Imported where needed, so that a process without torch can run GrabCut.
    from services.segmentation.grabcut import GrabCut

    if settings.engine == GrabCut.name:
        announce(Choice("cut_out", GrabCut.name, "asked for", "SEGMENTATION_ENGINE"))
        return GrabCut()
    wanted = list(SAM_FILES) if settings.engine == "auto" else [settings.engine]
    files = [settings.weights_dir / SAM_FILES[name] for name in wanted]
    saliency = settings.weights_dir / SALIENCY_FILE
    found = next((file for file in files if file.is_file()), None)
    # Without a saliency net nothing tells Segment Anything what is meant: of a whole frame it cuts out the background.
    missing = [file for file in (found or files[-1], saliency) if not file.is_file()]
    if found is None or missing:
        lacking = " and ".join(map(str, missing))
        if settings.engine != "auto":
            remedy = f"{FETCH} {settings.engine} u2netp"
            raise StartError(f"SEGMENTATION_ENGINE={settings.engine}: {lacking} missing: {remedy}")
        announce(Choice("cut_out", GrabCut.name, "lacking", lacking, FETCH))
        return GrabCut()
    from services.runtime.device import choose_device
    from services.segmentation.sam.engine import SamEngine

    engine = SamEngine.load(found, choose_device(settings), settings)
    if settings.engine == "auto":
        better = "" if engine.name == BEST else f"{FETCH} {BEST}"
        announce(Choice("cut_out", engine.name, "found", str(found), better))
    else:
        announce(Choice("cut_out", engine.name, "asked for", "SEGMENTATION_ENGINE"))
    return engine


def _choose_detector(settings: SegmentationSettings, segmenter: Segmenter) -> Detector | None:
    if settings.object_finder == "cut_out":
        announce(Choice("object_finding", segmenter.name, "asked for", "SEGMENTATION_OBJECT_FINDER"))
        return None
    found = next((file for pattern in MASK_RCNN_FILES for file in sorted(settings.weights_dir.glob(pattern))), None)
    if found is None:
        names = " or ".join(str(settings.weights_dir / pattern) for pattern in MASK_RCNN_FILES)
        if settings.object_finder == "mask_rcnn":
            raise StartError(f"SEGMENTATION_OBJECT_FINDER=mask_rcnn needs {names}: put the weights there")
        announce(Choice("object_finding", segmenter.name, "lacking", names, str(settings.weights_dir / MASK_RCNN_FILE)))
        return None
    from services.runtime.device import choose_device
    from services.segmentation.mask_rcnn import load_mask_rcnn

    detector = load_mask_rcnn(found, choose_device(settings))
    announce(Choice("object_finding", detector.name, "found", str(found)))
    return detector


def _load_saliency(settings: SegmentationSettings) -> SaliencyFinder | None:
    file = settings.weights_dir / SALIENCY_FILE
    if not file.is_file():
        announce(Choice("saliency", "none", "lacking", str(file), FETCH))
        return None
    from services.segmentation.saliency import U2Net

    announce(Choice("saliency", "u2netp", "found", str(file)))
    return U2Net.load(file)
