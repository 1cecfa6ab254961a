"""Sizes and layers shared by the image encoders of Segment Anything."""

import torch
from torch import Tensor, nn
from torch.nn import functional

IMAGE_SIZE = 1024
"""Side of the square frame that a picture is encoded in, in pixels."""
EMBEDDING_SIZE = 64
EMBEDDING_WIDTH = 256


def gelu_(x: Tensor) -> Tensor:
    """Apply GELU in place: a new tensor of this size costs more time than the function."""
    return torch.ops.aten.gelu_(x)  # type: ignore[no-any-return]


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        normalised = functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, eps=1e-6)
        return normalised.permute(0, 3, 1, 2)


class Neck(nn.Sequential):
    """Projection of encoder features (B, width, 64, 64) to the embedding (B, 256, 64, 64)."""

    def __init__(self, width: int) -> None:
        super().__init__(
            nn.Conv2d(width, EMBEDDING_WIDTH, 1, bias=False),
            LayerNorm2d(EMBEDDING_WIDTH),
            nn.Conv2d(EMBEDDING_WIDTH, EMBEDDING_WIDTH, 3, padding=1, bias=False),
            LayerNorm2d(EMBEDDING_WIDTH),
        )
