"""Gated convolution (paper, section 3.1): every pixel and channel learns how much of it to let through."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.inpainting.deepfill.variant import Padding

Activation = Callable[[Tensor], Tensor]


def same_padding(side: int, kernel: int, stride: int, rate: int) -> tuple[int, int]:
    """Give TensorFlow's SAME padding of one side, before and after (tf.nn, "Notes on padding")."""
    out = -(-side // stride)
    total = max((out - 1) * stride + (kernel - 1) * rate + 1 - side, 0)
    return total // 2, total - total // 2


class PaddedConv(nn.Conv2d):
    """A convolution that pads as asked, and works in the precision of its own weights.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Its side.
        stride: Every which pixel is worked out.
        rate: The distance between the kernel's taps ("atrous").
        padding: How the picture is continued with zeros.
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
    """(B, inputs, H, W) to (B, outputs, H', W'): one half of a convolution, activated, times a gate made of the other.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out; the convolution makes twice as many.
        kernel: Its side.
        stride: Every which pixel is worked out.
        rate: The distance between the kernel's taps.
        padding: How the picture is continued with zeros.
        activation: Of the first half.
        upsample: Whether every pixel is first made two by two.
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
    """(B, inputs, H, W) to (B, 3, H, W), -1 to 1: the plain convolution at the end of each stage."""

    def __init__(self, inputs: int, *, padding: Padding) -> None:
        super().__init__(inputs, 3, padding=padding)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return torch.tanh(super().forward(input))
