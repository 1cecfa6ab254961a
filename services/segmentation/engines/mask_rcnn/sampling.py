"""Bilinear sampling of feature maps at many points, as one sparse product."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Taps:
    """The four pixels around each of n points, and their bilinear weights.

    Attributes:
        rows: (n, 4) int64, indices into the pixels of the map in row-major order.
        weights: (n, 4) float, summing to 1; all 0 for a point outside.
    """

    rows: Tensor
    weights: Tensor


def taps(y: Tensor, x: Tensor, height: int, width: int, outside: Tensor) -> Taps:
    """Return the four pixels around each point and their weights.

    Args:
        y: (n,), in pixels, with pixel centres at integers; clamped to the map.
        x: (n,), likewise.
        height: Height of the map, in pixels.
        width: Width of the map, in pixels.
        outside: (n,) bool; True marks points whose sample is 0.
    """
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    top, left = y.floor().long(), x.floor().long()
    bottom, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = y - top, x - left
    rows = torch.stack([top * width + left, top * width + right, bottom * width + left, bottom * width + right], -1)
    corners = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
    weights = torch.stack(corners, -1).masked_fill(outside[:, None], 0)
    return Taps(rows, weights)


def pool(features: Tensor, picture: Tensor, places: Taps, samples: int) -> Tensor:
    """Average the samples of each bin.

    Args:
        features: (B, C, H, W) float32.
        picture: (bins,) int64: index of the map that each bin samples.
        places: Taps of bins * samples points, bin by bin.
        samples: Number of samples per bin.

    Returns:
        (bins, C).
    """
    batch, channels, height, width = features.shape
    pixels = features.permute(0, 2, 3, 1).reshape(batch * height * width, channels)
    rows = places.rows.view(-1, samples * 4) + (picture * height * width)[:, None]
    weights = places.weights.view(-1, samples * 4) / samples
    return functional.embedding_bag(rows, pixels, mode="sum", per_sample_weights=weights.to(pixels.dtype))
