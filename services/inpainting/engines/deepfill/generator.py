"""The generator: a coarse network, then a refinement network with two branches (paper, figure 3)."""

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.inpainting.engines.deepfill.attention import ContextualAttention
from services.inpainting.engines.deepfill.gated import GatedConv, RgbConv
from services.inpainting.engines.deepfill.variant import Variant

GRID = 8
"""Image sides must be multiples of this, in pixels."""
COLOURS = 5
"""Maximum number of channels of a network's input: colours, ones and the hole."""
ATTENTION_MB = 128
SCORE_BYTES = 4 * 4
"""Peak memory per attention score, reached while scores are fused: four float32."""


class Generator(nn.Module):
    """Fills holes. Layers are named as in the authors' code.

    Args:
        variant: Variant of the checkpoint.
        attention_mb: Memory for the attention scores, in MiB.
    """

    def __init__(self, variant: Variant, attention_mb: int = ATTENTION_MB) -> None:
        super().__init__()
        self.variant = variant
        conv = partial(GatedConv, padding=variant.padding)
        rgb = partial(RgbConv, padding=variant.padding)
        self.coarse = _layers(
            conv1=conv(5, 24, kernel=5),
            conv2_downsample=conv(24, 48, stride=2),
            conv3=conv(48, 48),
            conv4_downsample=conv(48, 96, stride=2),
            conv5=conv(96, 96),
            conv6=conv(96, 96),
            conv7_atrous=conv(96, 96, rate=2),
            conv8_atrous=conv(96, 96, rate=4),
            conv9_atrous=conv(96, 96, rate=8),
            conv10_atrous=conv(96, 96, rate=16),
            conv11=conv(96, 96),
            conv12=conv(96, 96),
            conv13_upsample=conv(96, 48, upsample=True),
            conv14=conv(48, 48),
            conv15_upsample=conv(48, 24, upsample=True),
            conv16=conv(24, 12),
            conv17=rgb(12),
        )
        self.dilated_branch = _layers(
            xconv1=conv(3, 24, kernel=5),
            xconv2_downsample=conv(24, 24, stride=2),
            xconv3=conv(24, 48),
            xconv4_downsample=conv(48, 48, stride=2),
            xconv5=conv(48, 96),
            xconv6=conv(96, 96),
            xconv7_atrous=conv(96, 96, rate=2),
            xconv8_atrous=conv(96, 96, rate=4),
            xconv9_atrous=conv(96, 96, rate=8),
            xconv10_atrous=conv(96, 96, rate=16),
        )
        self.attention_branch = _layers(
            pmconv1=conv(3, 24, kernel=5),
            pmconv2_downsample=conv(24, 24, stride=2),
            pmconv3=conv(24, 48),
            pmconv4_downsample=conv(48, 96, stride=2),
            pmconv5=conv(96, 96),
            pmconv6=conv(96, 96, activation=functional.relu),
        )
        self.attention = ContextualAttention(variant, (attention_mb << 20) // SCORE_BYTES)
        self.attended = _layers(pmconv9=conv(96, 96), pmconv10=conv(96, 96))
        self.merged = _layers(
            allconv11=conv(192, 96),
            allconv12=conv(96, 96),
            allconv13_upsample=conv(96, 48, upsample=True),
            allconv14=conv(48, 48),
            allconv15_upsample=conv(48, 24, upsample=True),
            allconv16=conv(24, 12),
            allconv17=rgb(12),
        )

    def forward(self, picture: Tensor, hole: Tensor) -> Tensor:
        """Fill holes.

        Args:
            picture: (B, 3, H, W) float32, -1 to 1, in the channel order of the variant; H and W are multiples of 8.
            hole: (B, 1, H, W) float32, 1 in the hole, 0 elsewhere.

        Returns:
            (B, 3, H, W) float32, -1 to 1; unchanged outside the hole.
        """
        known = picture * (1 - hole)
        first = self.coarse(torch.cat([known, torch.ones_like(hole), hole], dim=1))
        rough = first * hole + known
        attended = self.attended(self.attention(self.attention_branch(rough), hole))
        second: Tensor = self.merged(torch.cat([self.dilated_branch(rough), attended], dim=1))
        return second * hole + known

    @property
    def convolutions(self) -> tuple[nn.Sequential, ...]:
        """All layers except attention."""
        return self.coarse, self.dilated_branch, self.attention_branch, self.attended, self.merged

    def in_bfloat16(self) -> "Generator":
        """Switch all convolutions to bfloat16, except those that read or write colours."""
        for layers in self.convolutions:
            for layer in layers:
                if isinstance(layer, GatedConv) and layer.in_channels > COLOURS:
                    layer.to(torch.bfloat16)
        return self


def _layers(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))
