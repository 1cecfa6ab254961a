"""Vocabulary of the segmentation engines: prompts, candidates, objects, and the Protocols that engines implement."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels

Probability = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, mask: Mask) -> "Box":
        """Return the box of a mask's True pixels."""
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        return cls(left, top, left + width, top + height)


@dataclass(frozen=True)
class PromptPoint:
    """A position in pixels, on the object or off it."""

    x: int
    y: int
    on_object: bool


@dataclass(frozen=True)
class Prompt:
    """What to segment. At least one of the two is given."""

    points: tuple[PromptPoint, ...] = ()
    box: Box | None = None


@dataclass(frozen=True)
class Candidate:
    """One answer to a prompt.

    Attributes:
        probability: (H, W) float32, 0 to 1: probability that each pixel belongs to the object.
        score: Quality of the answer as predicted by the engine, 0 to 1.
    """

    probability: Probability
    score: float


class Segmenter(Protocol):
    """Segments the object that a prompt points at. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    @property
    def segments_anything(self) -> bool:
        """Whether it segments whatever a point shows: things, floors and walls."""

    def segment(self, picture: Pixels, prompt: Prompt) -> Sequence[Candidate]:
        """Segment the prompted object.

        Args:
            picture: (H, W, 3).
            prompt: What to segment, in its pixels.

        Returns:
            At least one candidate of the size of the picture.
        """


class SaliencyFinder(Protocol):
    """Predicts how salient each pixel is. Thread-safe."""

    def find(self, picture: Pixels) -> Probability:
        """Return the saliency of (H, W, 3) as (H, W) float32, 0 to 1."""


@dataclass(frozen=True)
class FoundObject:
    """An object in a picture.

    Attributes:
        label: Class name.
        score: Confidence, 0 to 1.
        box: Bounding box.
        mask: (H, W) bool; True marks the object.
    """

    label: str
    score: float
    box: Box
    mask: Mask


@dataclass(frozen=True)
class DetectionQuery:
    """Which objects a caller asks for.

    Attributes:
        labels: Labels to return; empty means all.
        min_score: Minimum score, 0 to 1.
        max_objects: Maximum number of objects, best first.
    """

    labels: Collection[str]
    min_score: float
    max_objects: int

    def select(self, labels: list[str], scores: list[float]) -> list[int]:
        """Return the indices of the objects asked for, best first."""
        matching = (
            index
            for index, (label, score) in enumerate(zip(labels, scores, strict=True))
            if score >= self.min_score and (not self.labels or label in self.labels)
        )
        return sorted(matching, key=lambda index: -scores[index])[: self.max_objects]


class Detector(Protocol):
    """Detects every object of the classes it knows. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def detect(self, picture: Pixels, query: DetectionQuery) -> Sequence[FoundObject]:
        """Detect the objects in (H, W, 3), best first."""


@dataclass(frozen=True)
class Engines:
    """Engines selected at start.

    Attributes:
        segmenter: Segments prompts.
        saliency: Finds where to prompt. None: the middle of the picture counts as salient.
        detector: Detects objects. None: the segmenter looks for them.
    """

    segmenter: Segmenter
    saliency: SaliencyFinder | None
    detector: Detector | None = None
