"""Segment Anything as an engine: pictures and prompts in pixels in, candidates in pixels out."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from services.runtime.image import Pixels
from services.segmentation.engine import Candidate, Prompt
from services.segmentation.sam.model import MobileSam, load_mobile_sam
from services.segmentation.sam.tiny_vit import IMAGE_SIZE


class SamEngine:
    """MobileSAM. Every call keeps its state to itself: safe to call from several threads."""

    name = "mobile_sam"

    def __init__(self, model: MobileSam) -> None:
        self._model = model

    @classmethod
    def load(cls, path: Path) -> "SamEngine":
        """Load the checkpoint and run it once.

        Raises:
            ValueError: The file is not MobileSAM's checkpoint, or is damaged; the text names the file.
        """
        engine = cls(load_mobile_sam(path))
        engine.segment(np.zeros((64, 64, 3), np.uint8), Prompt(box=None))
        return engine

    @torch.inference_mode()
    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:
        """See Segmenter. Gives three candidates: the part, the whole, and all around."""
        height, width = picture.shape[:2]
        scale = IMAGE_SIZE / max(height, width)
        embedding = self._model.embed(_resized(picture, scale))
        logits, quality = self._model.decode(embedding, *_in_frame(prompt, scale))
        frame = functional.interpolate(logits[None], (IMAGE_SIZE, IMAGE_SIZE), mode="bilinear")
        inside = frame[..., : round(height * scale), : round(width * scale)]
        probability = functional.interpolate(inside, (height, width), mode="bilinear", antialias=scale > 1).sigmoid()
        return [
            Candidate(candidate.numpy(), min(1.0, max(0.0, float(score))))
            for candidate, score in zip(probability[0], quality, strict=True)
        ]


def _resized(picture: Pixels, scale: float) -> Tensor:
    height, width = (round(side * scale) for side in picture.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (max(1, width), max(1, height)), interpolation=interpolation)
    return torch.from_numpy(resized).permute(2, 0, 1).float()


def _in_frame(prompt: Prompt, scale: float) -> tuple[tuple[Tensor, Tensor] | None, Tensor | None]:
    points = None
    if prompt.points:
        places = torch.tensor([[(point.x + 0.5, point.y + 0.5) for point in prompt.points]]) * scale
        points = places, torch.tensor([[int(point.on_object) for point in prompt.points]])
    box = prompt.box
    corners = None if box is None else torch.tensor([[box.left, box.top, box.right, box.bottom]]) * scale
    return points, corners
