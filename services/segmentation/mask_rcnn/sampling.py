"""Bilinear samples of feature maps at many places, as one sparse product."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Taps:
    """The four pixels around each of n places, and how much each counts.

    Attributes:
        rows: (n, 4) int64, indices into the map's pixels, row by row.
        weights: (n, 4) float, summing to 1; all 0 for a place that counts as outside.
    """

    rows: Tensor
    weights: Tensor


def taps(y: Tensor, x: Tensor, height: int, width: int, outside: Tensor) -> Taps:
    """Find the four pixels around each place.

    Args:
        y: (n,) in pixels, pixel centres at whole numbers; places beyond the map are moved to its border.
        x: (n,) likewise.
        height: Of the map.
        width: Of the map.
        outside: (n,) bool: places whose sample is 0.
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
    """Average samples in bins.

    Args:
        features: (B, C, H, W) float32.
        picture: (bins,) int64: which of the B maps each bin is of.
        places: Of bins * samples places, bin by bin.
        samples: How many places are averaged in a bin.

    Returns:
        (bins, C).
    """
    batch, channels, height, width = features.shape
    pixels = features.permute(0, 2, 3, 1).reshape(batch * height * width, channels)
    rows = places.rows.view(-1, samples * 4) + (picture * height * width)[:, None]
    weights = places.weights.view(-1, samples * 4) / samples
    return functional.embedding_bag(rows, pixels, mode="sum", per_sample_weights=weights.to(pixels.dtype))
