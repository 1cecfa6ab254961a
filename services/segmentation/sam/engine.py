"""Segment Anything as an engine: pictures and prompts in pixels in, candidates in pixels out."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from services.runtime.checkpoint import sha256_of
from services.runtime.device import Device
from services.runtime.image import Pixels
from services.segmentation.engine import Candidate, Prompt
from services.segmentation.sam.batching import MicroBatcher
from services.segmentation.sam.embeddings import EmbeddingCache, content_key
from services.segmentation.sam.layers import IMAGE_SIZE
from services.segmentation.sam.model import Sam, in_frame, load_sam
from services.segmentation.settings import SegmentationSettings

log = structlog.get_logger()


class SamEngine:
    """Segment Anything. Every call keeps its state to itself: safe to call from several threads.

    Args:
        name: Of the model, as answers and records show it.
        model: Ready to run.
        device: Where it runs.
        settings: How large batches and the cache may get, and whether to compile.
    """

    def __init__(self, name: str, model: Sam, device: Device, settings: SegmentationSettings) -> None:
        self.name = name
        self._model = model
        self._device = device.name
        encode = torch.compile(model.image_encoder) if settings.compile else model.image_encoder
        self._encode: Callable[[Tensor], Tensor] = encode
        if device.name == "cuda":
            self._encode = MicroBatcher(encode, settings.batch_size, settings.batch_wait_ms / 1000)
        self._embeddings = EmbeddingCache(settings.embedding_cache_mb << 20)

    @classmethod
    def load(cls, path: Path, device: Device, settings: SegmentationSettings) -> "SamEngine":
        """Load the checkpoint and run it once.

        Raises:
            ValueError: The file is no checkpoint of Segment Anything, or is damaged; the text names the file.
        """
        model, name = load_sam(path, device)
        engine = cls(name, model, device, settings)
        engine.segment(np.zeros((64, 64, 3), np.uint8), Prompt(box=None))
        log.info(
            "weights", file=str(path), model=name, sha256=sha256_of(path), device=device.name, bfloat16=device.bfloat16
        )
        return engine

    @torch.inference_mode()
    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:
        """See Segmenter. Gives three candidates: the part, the whole, and all around."""
        height, width = picture.shape[:2]
        scale = IMAGE_SIZE / max(height, width)
        logits, quality = self._model.decode(self._embedding(picture, scale), *self._prompt_in_frame(prompt, scale))
        frame = functional.interpolate(logits[None], (IMAGE_SIZE, IMAGE_SIZE), mode="bilinear")
        inside = frame[..., : round(height * scale), : round(width * scale)]
        probability = functional.interpolate(inside, (height, width), mode="bilinear", antialias=scale > 1).sigmoid()
        return [
            Candidate(candidate.numpy(), min(1.0, max(0.0, score)))
            for candidate, score in zip(probability[0].cpu(), quality.tolist(), strict=True)
        ]

    def _embedding(self, picture: Pixels, scale: float) -> Tensor:
        key = content_key(picture)
        embedding = self._embeddings.get(key)
        if embedding is None:
            embedding = self._encode(in_frame(_resized(picture, scale).to(self._device))[None])
            self._embeddings.put(key, embedding)
        return embedding

    def _prompt_in_frame(self, prompt: Prompt, scale: float) -> tuple[tuple[Tensor, Tensor] | None, Tensor | None]:
        points = None
        if prompt.points:
            places = torch.tensor([[(point.x + 0.5, point.y + 0.5) for point in prompt.points]], device=self._device)
            labels = torch.tensor([[int(point.on_object) for point in prompt.points]], device=self._device)
            points = places * scale, labels
        if (box := prompt.box) is None:
            return points, None
        corners = torch.tensor([[box.left, box.top, box.right, box.bottom]], device=self._device)
        return points, corners * scale


def _resized(picture: Pixels, scale: float) -> Tensor:
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(picture, (width, height), interpolation=interpolation)
    return torch.from_numpy(resized).permute(2, 0, 1).float()
