"""The plain vision transformers of Segment Anything: vit_b, vit_l and vit_h.

Architecture: Li et al., "Exploring Plain Vision Transformer Backbones for Object Detection" (ViTDet, ECCV 2022), with
the decomposed relative positions of Li et al., "MViTv2" (CVPR 2022), equation 4; sizes are those of Kirillov et al.,
"Segment Anything" (2023), appendix A. Module names are those of the official checkpoints. Outputs equal those of the
segment-anything package, in less time and memory: attention never holds the scores of all queries at once, and window
padding is not multiplied by the weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.segmentation.engines.sam.layers import EMBEDDING_SIZE, Neck, gelu_

PATCH = 16
WINDOW = 14
SCORES_AT_ONCE = {"cpu": 1 << 23, "cuda": 1 << 28}
"""Attention scores held at a time, by device type; more gains nothing and costs cache and memory."""


@dataclass(frozen=True)
class ViTSize:
    """Hyperparameters in which the three encoders differ."""

    width: int
    depth: int
    heads: int

    @property
    def global_blocks(self) -> range:
        """Indices of the blocks with global attention: the last of each quarter."""
        quarter = self.depth // 4
        return range(quarter - 1, self.depth, quarter)


SIZES = {"vit_b": ViTSize(768, 12, 12), "vit_l": ViTSize(1024, 24, 16), "vit_h": ViTSize(1280, 32, 16)}


class PatchEmbed(nn.Module):
    """Patch embedding: (B, 3, H, W) to (B, H/16, W/16, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).permute(0, 2, 3, 1).contiguous()  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Multi-head attention within windows of `side` x `side` tokens: (B, H, W, C) to the same."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.heads = heads
        self.side = side
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_h = nn.Parameter(torch.zeros(2 * side - 1, width // heads))
        self.rel_pos_w = nn.Parameter(torch.zeros(2 * side - 1, width // heads))

    def forward(self, x: Tensor) -> Tensor:
        _, height, width, _ = x.shape
        windows = self._windows(self.qkv(x))
        batch, rows, columns = windows.shape[:3]
        tokens = windows.reshape(-1, self.side * self.side, 3, self.heads, windows.shape[-1] // (3 * self.heads))
        query, key, value = tokens.permute(2, 0, 3, 1, 4)
        mixed = self._attend(query, key, value).transpose(1, 2).reshape(batch, rows, columns, self.side, self.side, -1)
        picture = mixed.transpose(2, 3).reshape(batch, rows * self.side, columns * self.side, -1)
        return self.proj(picture[:, :height, :width].contiguous())  # type: ignore[no-any-return]

    def _windows(self, qkv: Tensor) -> Tensor:
        """Split (B, H, W, 3C) into (B, rows, columns, side, side, 3C), padded to whole windows.

        The padding stands for zero tokens, whose projection is the bias.
        """
        batch, height, width, channels = qkv.shape
        rows, columns = -(-height // self.side), -(-width // self.side)
        padded = qkv
        if (rows * self.side, columns * self.side) != (height, width):
            padded = self.qkv.bias.expand(batch, rows * self.side, columns * self.side, channels).clone()
            padded[:, :height, :width] = qkv
        return padded.view(batch, rows, self.side, columns, self.side, channels).transpose(2, 3)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Return softmax(query key / sqrt(D) + position bias) value, (B, heads, N, D), a few query rows at a time."""
        batch, heads, tokens, channels = query.shape
        at_once = SCORES_AT_ONCE[query.device.type] // (batch * heads * self.side * tokens)
        step = max(1, min(self.side, at_once))
        grid = query.view(batch, heads, self.side, self.side, channels)
        place = torch.arange(self.side, device=query.device)
        offset = place[:, None] - place[None, :] + self.side - 1
        mixed = torch.empty_like(query)
        for top in range(0, self.side, step):
            rows = slice(top, top + step)
            part = slice(top * self.side, (top + step) * self.side)
            bias = self._position_bias(grid[:, :, rows], self.rel_pos_h[offset[rows]], self.rel_pos_w[offset])
            mixed[:, :, part] = functional.scaled_dot_product_attention(query[:, :, part], key, value, attn_mask=bias)
        return mixed

    def _position_bias(self, query: Tensor, down: Tensor, across: Tensor) -> Tensor:
        """Return the relative-position bias of every key for every query.

        Query (B, heads, rows, side, D) and embeddings of the vertical offsets (rows, side, D) and the horizontal ones
        (side, side, D) to (B, heads, rows * side, side * side).
        """
        vertical = torch.einsum("bnhwc,hkc->bnhwk", query, down).contiguous()
        horizontal = torch.einsum("bnhwc,wkc->bnhwk", query, across).contiguous()
        bias = vertical[..., :, None] + horizontal[..., None, :]
        return bias.view(*query.shape[:2], -1, self.side * self.side)


class Mlp(nn.Module):
    """Two-layer MLP over the channels, with 4x expansion."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, 4 * width)
        self.lin2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(gelu_(self.lin1(x)))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Transformer block, attention and MLP, each pre-normalised and residual: (B, H, W, C) to the same."""

    def __init__(self, width: int, heads: int, side: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads, side)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]


class ViT(nn.Module):
    """Image encoder: normalised pictures (B, 3, 1024, 1024) to embeddings (B, 256, 64, 64)."""

    def __init__(self, size: ViTSize) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(size.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, EMBEDDING_SIZE, EMBEDDING_SIZE, size.width))
        self.blocks = nn.Sequential(
            *(
                Block(size.width, size.heads, EMBEDDING_SIZE if index in size.global_blocks else WINDOW)
                for index in range(size.depth)
            )
        )
        self.neck = Neck(size.width)
        self.dtype = torch.float32

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch_embed(x) + self.pos_embed
        mixed = self.blocks(tokens.to(self.dtype))
        return self.neck(mixed.permute(0, 3, 1, 2).float())  # type: ignore[no-any-return]

    def speed_up(self, *, bfloat16: bool) -> None:
        """Optionally run the blocks in bfloat16. The patch embedding and the neck stay in float32."""
        if bfloat16:
            self.dtype = torch.bfloat16
            self.blocks.to(self.dtype)
