"""Segment Anything engine: from pictures and prompts in pixels to candidates in pixels."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from common.imaging.codec import Pixels
from common.models.device import Device
from common.models.weights import check_weights
from services.segmentation.engines.base import Box, Candidate, Prompt
from services.segmentation.engines.sam.batching import MicroBatcher
from services.segmentation.engines.sam.embeddings import EmbeddingCache, content_key
from services.segmentation.engines.sam.layers import IMAGE_SIZE
from services.segmentation.engines.sam.model import Sam, in_frame, load_sam
from services.segmentation.settings import SegmentationSettings

log = structlog.get_logger()


class SamEngine:
    """Segment Anything. Thread-safe: each call keeps its state to itself.

    Args:
        name: Name in responses and records.
        model: Model on the device, ready to run.
        device: Device and precision.
        settings: Batching, cache and compilation options.
    """

    segments_anything = True

    def __init__(self, name: str, model: Sam, device: Device, settings: SegmentationSettings) -> None:
        self.name = name
        self._model = model
        self._device = device.name
        encode = torch.compile(model.image_encoder) if settings.compile else model.image_encoder
        self._encode: Callable[[Tensor], Tensor] = encode
        if device.name == "cuda":
            example = torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE, device=device.name)
            self._encode = MicroBatcher(encode, settings.batch_size, settings.batch_wait_ms / 1000, example)
        self._embeddings = EmbeddingCache(settings.embedding_cache_mb << 20)

    @classmethod
    def load(cls, path: Path, device: Device, settings: SegmentationSettings) -> "SamEngine":
        """Load a checkpoint and run it once.

        Raises:
            ValueError: The file is not a Segment Anything checkpoint, or is damaged; the message names the file.
        """
        sha256 = check_weights(path)
        model, name = load_sam(path, device)
        engine = cls(name, model, device, settings)
        engine.segment(np.zeros((64, 64, 3), np.uint8), Prompt(box=Box(16, 16, 48, 48)))
        precision = str(model.image_encoder.dtype).removeprefix("torch.")
        log.info("weights", file=str(path), model=name, sha256=sha256, device=device.name, precision=precision)
        return engine

    @torch.inference_mode()
    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:
        """See Segmenter. Returns three candidates: subpart, part and whole."""
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
