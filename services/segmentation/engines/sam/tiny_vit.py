"""TinyViT-5M, the image encoder of MobileSAM.

Architecture: Wu et al., "TinyViT: Fast Pretraining Distillation for Small Vision Transformers" (ECCV 2022), section 3.3
and table 2 (one convolutional stage, three of windowed attention). MobileSAM (Zhang et al., "Faster Segment Anything",
2023) keeps the last stage at stride 16 and adds Segment Anything's neck. Module names are those of its checkpoint.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from services.segmentation.engines.sam.layers import Neck, gelu_

WIDTHS = (64, 128, 160, 320)
DEPTHS = (2, 2, 6, 2)
HEADS = (2, 4, 5, 10)
WINDOWS = (7, 7, 14, 7)
DOWNSAMPLES = (2, 2, 1)


class ConvBn(nn.Sequential):
    """Convolution without bias, then batch normalisation; keeps height and width at stride 1."""

    c: nn.Conv2d
    bn: nn.BatchNorm2d

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.add_module("c", nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False))
        self.add_module("bn", nn.BatchNorm2d(outputs))

    def fold(self) -> None:
        """Fold the normalisation, which is linear in evaluation mode, into the convolution."""
        self.c = fuse_conv_bn_eval(self.c, self.bn)
        del self.bn


class PatchEmbed(nn.Module):
    """Patch embedding: (B, 3, H, W) to (B, width, H/4, W/4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(ConvBn(3, width // 2, 3, 2), nn.GELU(), ConvBn(width // 2, width, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.seq(x)  # type: ignore[no-any-return]


class MBConv(nn.Module):
    """Inverted bottleneck: 4x expansion, depthwise 3x3, projection, residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 4 * width
        self.conv1 = ConvBn(width, hidden)
        self.conv2 = ConvBn(hidden, hidden, 3, groups=hidden)
        self.conv3 = ConvBn(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden = gelu_(self.conv2(gelu_(self.conv1(x))))
        return gelu_(self.conv3(hidden).add_(x))


class PatchMerging(nn.Module):
    """Downsampling between stages: (B, inputs, H, W) to (B, outputs, H/stride, W/stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvBn(inputs, outputs)
        self.conv2 = ConvBn(outputs, outputs, 3, stride, groups=outputs)
        self.conv3 = ConvBn(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(gelu_(self.conv2(gelu_(self.conv1(x)))))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Multi-head attention over the tokens of each window, (B, N, C), with a learned bias per absolute offset."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        # The checkpoint interleaves query, key and value per head.
        qkv = self.qkv(self.norm(x)).view(batch, tokens, self.heads, 3, width // self.heads)
        query, key, value = qkv.permute(3, 0, 2, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=self._position_bias())
        return self.proj(mixed.transpose(1, 2).reshape(batch, tokens, width))  # type: ignore[no-any-return]

    def _position_bias(self) -> Tensor:
        """Return the bias of every pair of tokens, (1, heads, N, N), from the offsets in the checkpoint's order."""
        place = torch.arange(self.window, device=self.attention_biases.device)
        row, column = (axis.flatten() for axis in torch.meshgrid(place, place, indexing="ij"))
        down, across = ((axis[:, None] - axis[None, :]).abs() for axis in (row, column))
        return self.attention_biases[None, :, down * self.window + across]


class Mlp(nn.Module):
    """Layer normalisation and a two-layer MLP over the channels, with 4x expansion."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu_(self.fc1(self.norm(x))))  # type: ignore[no-any-return]


class TinyViTBlock(nn.Module):
    """Windowed attention, a depthwise 3x3 convolution that mixes across windows, and an MLP: (B, H, W, C)."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = Attention(width, heads, window)
        self.local_conv = ConvBn(width, width, 3, groups=width)
        self.mlp = Mlp(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._attend(x)
        x = self.local_conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.mlp(x)  # type: ignore[no-any-return]

    def _attend(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        side = self.window
        padded = functional.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        rows, columns = padded.shape[1] // side, padded.shape[2] // side
        windows = padded.view(batch, rows, side, columns, side, channels).transpose(2, 3)
        mixed = self.attn(windows.reshape(-1, side * side, channels))
        windows = mixed.view(batch, rows, columns, side, side, channels).transpose(2, 3)
        return windows.reshape(padded.shape)[:, :height, :width]  # type: ignore[no-any-return]


class ConvStage(nn.Module):
    """The first, convolutional stage: (B, C, H, W) to the input shape of the next stage."""

    def __init__(self, width: int, depth: int, downsample: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(MBConv(width) for _ in range(depth))
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.downsample(x)  # type: ignore[no-any-return]


class AttentionStage(nn.Module):
    """A stage of windowed attention: (B, C, H, W) to the input shape of the next stage, if any."""

    def __init__(self, width: int, depth: int, heads: int, window: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(TinyViTBlock(width, heads, window) for _ in range(depth))
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        for block in self.blocks:
            x = block(x)
        x = x.permute(0, 3, 1, 2)
        return x if self.downsample is None else self.downsample(x)


class TinyViT(nn.Module):
    """Image encoder: normalised pictures (B, 3, 1024, 1024) to embeddings (B, 256, 64, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed(WIDTHS[0])
        merge1, merge2, merge3 = (
            PatchMerging(inputs, outputs, stride)
            for (inputs, outputs), stride in zip(pairwise(WIDTHS), DOWNSAMPLES, strict=True)
        )
        self.layers = nn.Sequential(
            ConvStage(WIDTHS[0], DEPTHS[0], merge1),
            AttentionStage(WIDTHS[1], DEPTHS[1], HEADS[1], WINDOWS[1], merge2),
            AttentionStage(WIDTHS[2], DEPTHS[2], HEADS[2], WINDOWS[2], merge3),
            AttentionStage(WIDTHS[3], DEPTHS[3], HEADS[3], WINDOWS[3], None),
        )
        self.neck = Neck(WIDTHS[-1])
        self.dtype = torch.float32

    def forward(self, x: Tensor) -> Tensor:
        return self.neck(self.layers(self.patch_embed(x)))  # type: ignore[no-any-return]

    def speed_up(self, *, bfloat16: bool) -> None:  # noqa: ARG002  # like that of ViT
        """Fold normalisations into convolutions, and use channels-last memory.

        Everything stays in float32: bfloat16 moves the masks (their IoU is 0.89 on an H100) and saves no time.
        """
        for module in self.modules():
            if isinstance(module, ConvBn):
                module.fold()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
