"""Speed-up of our DeepFill v2 over the direct implementation, on the same weights, picture, hole and device.

The direct implementation is the network in float32 as its authors' PyTorch port writes it: attention picture by
picture, as a convolution of the features with all of their patches, over all queries at once. Weights are random; the
hole is the middle quarter of the picture's area. Each runs in its own process, in turn; memory is the peak.

    python -m bench.deepfill [SIDE ...]
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.turns import by_turns
from common.models.device import choose_device
from common.serving.malloc import tune_malloc
from common.settings import ModelSettings
from services.inpainting.engines.deepfill.attention import MIN_NORM, OVERLAP, RATE, SHARPNESS, shrink
from services.inpainting.engines.deepfill.generator import Generator
from services.inpainting.engines.deepfill.variant import TENSORFLOW, Variant

SIDES = (256, 512, 1024)
RUNS = {256: 9, 512: 5, 1024: 1}
GAIN = 4.5
"""Gain of the random weights, large enough for varied output."""


class DirectAttention(nn.Module):
    """Contextual attention by convolutions over patches."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self._variant = variant

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        """Attend (B, C, H/4, W/4) features around a (B, 1, H, W) hole; the shape stays."""
        for factor in self._variant.mask_steps:
            hole = shrink(hole, factor, self._variant.resize)
        return torch.cat([self._of_one(one[None], its[None]) for one, its in zip(features, hole, strict=True)])

    def _of_one(self, features: Tensor, hole: Tensor) -> Tensor:
        channels = features.shape[1]
        small = shrink(features, RATE, self._variant.resize)
        height, width = small.shape[-2:]
        places = height * width
        filters = functional.unfold(small, 3, padding=1)[0].T.reshape(places, channels, 3, 3)
        norm = filters.square().sum(dim=(1, 2, 3), keepdim=True).sqrt().clamp_min(MIN_NORM)
        scores = functional.conv2d(small, filters / norm, padding=1)
        if self._variant.fuse:
            scores = _fused(_fused(scores, height, width), width, height)
        known = (functional.unfold(hole, 3, padding=1).mean(dim=1) == 0).float().view(1, places, 1, 1)
        weights = functional.softmax(scores * known * SHARPNESS, dim=1) * known
        pasted = functional.unfold(features, 2 * RATE, stride=RATE, padding=1)[0].T
        filters = pasted.reshape(places, channels, 2 * RATE, 2 * RATE)
        return functional.conv_transpose2d(weights, filters, stride=RATE, padding=1) / OVERLAP


def _fused(scores: Tensor, height: int, width: int) -> Tensor:
    """Add diagonal neighbours, then transpose the places."""
    places = height * width
    diagonal = torch.eye(3, device=scores.device).view(1, 1, 3, 3)
    summed = functional.conv2d(scores.reshape(1, 1, places, places), diagonal, padding=1)
    turned = summed.view(height, width, height, width).permute(1, 0, 3, 2)
    return turned.reshape(1, places, width, height)


def random_generator() -> Generator:
    """Return the network with seeded weights."""
    torch.manual_seed(0)
    generator = Generator(TENSORFLOW).eval().requires_grad_(requires_grad=False)
    for layer in generator.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=(GAIN / layer.weight[0].numel()) ** 0.5)
    return generator


def prepare(side: int, *, direct: bool) -> tuple[Callable[[], object], Tensor]:
    """Return the function to time, and the pixels that it filled."""
    tune_malloc()  # as the service does
    device = choose_device(ModelSettings())
    generator = random_generator().to(device.name)
    if direct:
        generator.attention = DirectAttention(TENSORFLOW)  # type: ignore[assignment]
    elif device.bfloat16:
        generator.in_bfloat16()
    picture = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    hole = torch.zeros(1, 1, side, side)
    hole[..., side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = 1

    def fill() -> Tensor:
        with torch.inference_mode():
            filled: Tensor = generator(picture.to(device.name), hole.to(device.name))
        return filled.cpu()

    return fill, fill()[hole.expand_as(picture) > 0]


def measure(side: int) -> dict[str, Any]:
    """Time both in turn at one size."""
    ours, reference = by_turns([partial(prepare, side, direct=direct) for direct in (False, True)], RUNS[side])
    error = (ours.answer - reference.answer).square().mean()
    return {
        f"ratio_{side}": round(reference.seconds / ours.seconds, 2),
        f"memory_ratio_{side}": round(ours.peak_mb / reference.peak_mb, 3),
        f"psnr_{side}": round(float(10 * torch.log10(4 / error)), 1),
        f"seconds_{side}": round(ours.seconds, 3),
        f"reference_seconds_{side}": round(reference.seconds, 3),
        f"peak_mb_{side}": ours.peak_mb,
        f"reference_peak_mb_{side}": reference.peak_mb,
    }


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures: dict[str, Any] = {}
    for side in [int(argument) for argument in sys.argv[1:]] or SIDES:
        figures |= measure(side)
        print(
            f"{side:5} px: {figures[f'ratio_{side}']:6} times as fast, {figures[f'memory_ratio_{side}']} of the memory"
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
