"""Gated convolution (paper, section 3.1): a learned gate for every pixel and channel."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.inpainting.engines.deepfill.variant import Padding

Activation = Callable[[Tensor], Tensor]


def same_padding(side: int, kernel: int, stride: int, rate: int) -> tuple[int, int]:
    """Return TensorFlow's SAME padding along one axis, before and after (tf.nn, "Notes on padding")."""
    out = -(-side // stride)
    total = max((out - 1) * stride + (kernel - 1) * rate + 1 - side, 0)
    return total // 2, total - total // 2


class PaddedConv(nn.Conv2d):
    """A convolution with a choice of padding, computed in the precision of its weights.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        kernel: Kernel size.
        stride: Stride.
        rate: Dilation ("atrous" rate).
        padding: Zero-padding rule.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, rate: int = 1, *, padding: Padding
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, dilation=rate)
        self._rule = padding

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        x = input.to(self.weight.dtype)
        top, bottom = self._padding_of(x.shape[-2])
        left, right = self._padding_of(x.shape[-1])
        if (top, left) != (bottom, right):
            x = functional.pad(x, (left, right, top, bottom))
            top = left = 0
        return functional.conv2d(x, self.weight, self.bias, self.stride, (top, left), self.dilation)

    def _padding_of(self, side: int) -> tuple[int, int]:
        kernel, stride, rate = self.kernel_size[0], self.stride[0], self.dilation[0]
        if self._rule == "same":
            return same_padding(side, kernel, stride, rate)
        return rate * (kernel - 1) // 2, rate * (kernel - 1) // 2


class GatedConv(PaddedConv):
    """(B, inputs, H, W) to (B, outputs, H', W'): half of the channels, activated, times the sigmoid of the other half.

    Args:
        inputs: Input channels.
        outputs: Output channels; the convolution computes twice as many.
        kernel: Kernel size.
        stride: Stride.
        rate: Dilation.
        padding: Zero-padding rule.
        activation: Activation of the first half.
        upsample: Whether to upsample the input by two first, to the nearest pixel.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        rate: int = 1,
        *,
        padding: Padding,
        activation: Activation = functional.elu,
        upsample: bool = False,
    ) -> None:
        super().__init__(inputs, 2 * outputs, kernel, stride, rate, padding=padding)
        self._activation = activation
        self._upsample = upsample

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        x = functional.interpolate(input, scale_factor=2.0, mode="nearest") if self._upsample else input
        features, gate = super().forward(x).chunk(2, dim=1)
        return self._activation(features) * gate.sigmoid()


class RgbConv(PaddedConv):
    """(B, inputs, H, W) to (B, 3, H, W), -1 to 1: the ungated output convolution of each stage."""

    def __init__(self, inputs: int, *, padding: Padding) -> None:
        super().__init__(inputs, 3, padding=padding)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return torch.tanh(super().forward(input))
