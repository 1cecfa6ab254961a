"""The DeepFill v2 engine: uint8 pictures and holes in, filled pictures out."""

import os
from pathlib import Path

import numpy as np
import structlog
import torch
from torch import Tensor
from torch.nn import functional

from common.imaging.codec import Mask, Pixels
from common.models.device import Device
from common.models.weights import check_weights
from services.inpainting.engines.deepfill.checkpoint import load_deepfill
from services.inpainting.engines.deepfill.generator import GRID, Generator
from services.inpainting.engines.deepfill.variant import CONVERTED, Channels, Variant
from services.inpainting.settings import InpaintingSettings

log = structlog.get_logger()

LICENCE = "DeepFill v2's published weights are CC BY-NC 4.0: not for commercial use; MI-GAN (MIT) is free for it"
SHAPE_CACHES = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
"""Torch and oneDNN cache prepared convolutions for a thousand shapes, 50 MB per picture size. Crops come in so many
sizes that this would exhaust the memory; preparing them takes about 70 ms per call."""


class DeepFill:
    """DeepFill v2. Thread-safe: it keeps no state between pictures.

    Args:
        generator: Generator in evaluation mode, float32.
        channels: Channel order it was trained with.
        device: Device and precision to run it with.
        compile_it: Whether to compile its convolutions.
    """

    native_size = 512
    largest_hole = 128
    """In pixels: trained on 256-pixel pictures with holes of up to 128 pixels (paper, section 4)."""

    def __init__(self, generator: Generator, channels: Channels, device: Device, *, compile_it: bool = False) -> None:
        self.name = f"deepfill_{generator.variant.name}"
        self._generator = generator.to(device.name)
        self._channels = channels
        self._device = device.name
        if device.bfloat16:
            generator.in_bfloat16()
        if compile_it:
            for part in generator.convolutions:
                part.compile()

    @classmethod
    def load(cls, path: Path, device: Device, settings: InpaintingSettings) -> "DeepFill":
        """Load a checkpoint and run it once.

        Raises:
            ValueError: The file is not a DeepFill v2 checkpoint, or is damaged; the text names the file.
        """
        for cache in SHAPE_CACHES:
            os.environ.setdefault(cache, "1")
        sha256 = check_weights(path)
        generator = load_deepfill(path, settings.attention_mb)
        channels = channels_of(generator.variant, settings)
        engine = cls(generator, channels, device, compile_it=settings.compile)
        hole = np.zeros((1, cls.native_size, cls.native_size), np.bool_)
        hole[:, 200:300, 200:300] = True
        engine.fill(np.zeros((*hole.shape, 3), np.uint8), hole)
        log.info("weights", file=str(path), model=engine.name, sha256=sha256, channels=channels, device=device.name)
        log.warning("licence", notice=LICENCE)
        return engine

    @torch.inference_mode()
    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        """See Inpainter."""
        height, width = holes.shape[1:]
        picture = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).permute(0, 3, 1, 2).float()
        hole = torch.from_numpy(np.ascontiguousarray(holes)).to(self._device)[:, None].float()
        filled = self._generator(_padded(self._in_order(picture) / 127.5 - 1), _padded(hole))
        pixels = ((self._in_order(filled[..., :height, :width]) + 1) * 127.5).round().clamp(0, 255)
        return np.asarray(pixels.permute(0, 2, 3, 1).to(torch.uint8).cpu().numpy(), np.uint8)

    def _in_order(self, picture: Tensor) -> Tensor:
        return picture.flip(1) if self._channels == "bgr" else picture


def channels_of(variant: Variant, settings: InpaintingSettings) -> Channels:
    """Return the channel order: that of the variant, except for converted weights, where it is configured."""
    return settings.deepfill_channels if variant is CONVERTED else variant.channels


def _padded(x: Tensor) -> Tensor:
    """Pad (B, C, H, W) to multiples of GRID by repeating the last row and column."""
    height, width = x.shape[-2:]
    return functional.pad(x, (0, -width % GRID, 0, -height % GRID), mode="replicate")
