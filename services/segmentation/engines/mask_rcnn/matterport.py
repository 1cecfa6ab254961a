"""Mask R-CNN as matterport's Keras implementation defines it and its checkpoints (mask_rcnn_coco.h5) require it.

The graph is that of He et al., "Mask R-CNN" (2017) with a feature pyramid (Lin et al., 2017). It differs from
torchvision's in details that the weights depend on: the stride of a block is in its first 1x1 convolution,
normalisations have an epsilon of 1e-3, the pyramid has no normalisation, boxes are normalised (top, left, bottom,
right), and RoIAlign takes one sample per bin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from services.segmentation.engines.mask_rcnn.operators import nms
from services.segmentation.engines.mask_rcnn.sampling import pool, taps

CLASSES = 81
EPSILON = 1e-3
WIDTH = 256
"""Channels of the feature pyramid."""
STRIDES = (4, 8, 16, 32, 64)
ANCHOR_SIDES = (32, 64, 128, 256, 512)
"""Side of the anchors of each level, in pixels."""
ANCHOR_RATIOS = (0.5, 1.0, 2.0)
BOX_DEVIATION = (0.1, 0.1, 0.2, 0.2)
"""Factors applied to the predicted box offsets."""
BEFORE_NMS, PROPOSALS, PROPOSAL_OVERLAP = 6000, 1000, 0.7
DETECTIONS, DETECTION_OVERLAP = 100, 0.3
BOX_POOL, MASK_POOL = 7, 14
TYPICAL_SIDE = 224
"""Side of a box that is pooled from level P4, in pixels (Lin et al., equation 1)."""
BLOCKS = {50: 6, 101: 23}
"""Number of blocks in the third stage (conv4_x), by ResNet depth."""


class ConvBn(nn.Sequential):
    """Convolution, then batch normalisation."""

    conv: nn.Conv2d
    bn: nn.BatchNorm2d

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.add_module("conv", nn.Conv2d(inputs, outputs, kernel, stride, padding))
        self.add_module("bn", nn.BatchNorm2d(outputs, eps=EPSILON))

    def fold(self) -> None:
        """Fold the normalisation into the convolution."""
        self.conv = fuse_conv_bn_eval(self.conv, self.bn)
        del self.bn


class Block(nn.Module):
    """Bottleneck: 1x1 (with the stride), 3x3, 1x1, plus the input, projected by a 1x1 where its shape changes."""

    def __init__(self, inputs: int, width: int, stride: int, *, shortcut: bool) -> None:
        super().__init__()
        self.branch2a = ConvBn(inputs, width, 1, stride)
        self.branch2b = ConvBn(width, width, 3, padding=1)
        self.branch2c = ConvBn(width, 4 * width, 1)
        self.branch1 = ConvBn(inputs, 4 * width, 1, stride) if shortcut else None

    def forward(self, x: Tensor) -> Tensor:
        hidden = functional.relu(self.branch2b(functional.relu(self.branch2a(x))))
        kept = x if self.branch1 is None else self.branch1(x)
        return functional.relu(self.branch2c(hidden) + kept)


class ResNet(nn.Module):
    """Backbone: (B, 3, H, W) to the features of its four stages, at strides 4, 8, 16 and 32."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = ConvBn(3, 64, 7, 2, padding=3)
        counts, widths = (3, 4, BLOCKS[depth], 3), (64, 128, 256, 512)
        inputs = (64, *(4 * width for width in widths))
        self.stages = nn.ModuleList(
            nn.Sequential(
                Block(inputs[index], width, 1 if index == 0 else 2, shortcut=True),
                *(Block(4 * width, width, 1, shortcut=False) for _ in range(count - 1)),
            )
            for index, (count, width) in enumerate(zip(counts, widths, strict=True))
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        first = functional.relu(self.conv1(x))
        # Keras "same" padding is minimal and favours the end: even sides get one row and column there.
        x = functional.max_pool2d(functional.pad(first, (0, 1, 0, 1)), 3, 2)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class Pyramid(nn.Module):
    """Feature pyramid: features of four stages to five levels of 256 channels, at strides 4 to 64."""

    def __init__(self) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(width, WIDTH, 1) for width in (256, 512, 1024, 2048))
        self.smooth = nn.ModuleList(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(4))

    def forward(self, stages: Sequence[Tensor]) -> list[Tensor]:
        merged = [lateral(stage) for lateral, stage in zip(self.lateral, stages, strict=True)]
        for finer, coarser in reversed(list(pairwise(range(4)))):
            merged[finer] = merged[finer] + functional.interpolate(merged[coarser], scale_factor=2.0)
        levels = [smooth(level) for smooth, level in zip(self.smooth, merged, strict=True)]
        return [*levels, levels[-1][:, :, ::2, ::2]]


class ProposalHead(nn.Module):
    """Region proposal network: features of a level to scores (B, n) and offsets (B, n, 4) of its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(WIDTH, 512, 3, padding=1)
        self.classes = nn.Conv2d(512, 2 * len(ANCHOR_RATIOS), 1)
        self.boxes = nn.Conv2d(512, 4 * len(ANCHOR_RATIOS), 1)

    def forward(self, level: Tensor) -> tuple[Tensor, Tensor]:
        shared = functional.relu(self.shared(level))
        classes, boxes = (layer(shared).float().permute(0, 2, 3, 1) for layer in (self.classes, self.boxes))
        batch = len(level)
        return classes.reshape(batch, -1, 2).softmax(-1)[..., 1], boxes.reshape(batch, -1, 4)


class BoxHead(nn.Module):
    """Box head: pooled features (n, 256, 7, 7) to class probabilities (n, 81) and per-class offsets (n, 81, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBn(WIDTH, 1024, BOX_POOL)
        self.conv2 = ConvBn(1024, 1024, 1)
        self.logits = nn.Linear(1024, CLASSES)
        self.boxes = nn.Linear(1024, 4 * CLASSES)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        hidden = functional.relu(self.conv2(functional.relu(self.conv1(pooled)))).flatten(1).float()
        return self.logits(hidden).softmax(-1), self.boxes(hidden).view(-1, CLASSES, 4)


class MaskHead(nn.Module):
    """Mask head: pooled features (n, 256, 14, 14) to per-class masks (n, 81, 28, 28), 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(ConvBn(WIDTH, WIDTH, 3, padding=1) for _ in range(4))
        self.deconv = nn.ConvTranspose2d(WIDTH, WIDTH, 2, 2)
        self.masks = nn.Conv2d(WIDTH, CLASSES, 1)

    def forward(self, pooled: Tensor) -> Tensor:
        for conv in self.convs:
            pooled = functional.relu(conv(pooled))
        return self.masks(functional.relu(self.deconv(pooled))).float().sigmoid()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Detections:
    """Objects in one picture, best first: normalised boxes (n, 4), classes (n,), scores (n,)."""

    boxes: Tensor
    classes: Tensor
    scores: Tensor


class MaskRcnn(nn.Module):
    """The complete network. Keeps no per-picture state.

    Boxes are normalised (top, left, bottom, right), 0 to 1, where 1 is the centre of the square input's last pixel.

    Args:
        depth: Depth of the ResNet, 50 or 101.
    """

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.resnet = ResNet(depth)
        self.pyramid = Pyramid()
        self.rpn = ProposalHead()
        self.box_head = BoxHead()
        self.mask_head = MaskHead()
        self.dtype = torch.float32

    def speed_up(self, dtype: torch.dtype) -> None:
        """Fold normalisations, use channels-last memory, and run all but the box head's predictors in dtype."""
        for module in self.modules():
            if isinstance(module, ConvBn):
                module.fold()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.to(dtype)
        for exact in (self.box_head.logits, self.box_head.boxes):
            exact.float()
        self.dtype = dtype

    def features(self, picture: Tensor) -> list[Tensor]:
        """Return the features of five levels, float32, of a picture (1, 3, S, S) whose side is a multiple of 64."""
        levels = self.pyramid(self.resnet(picture.to(self.dtype)))
        return [level.float() for level in levels]

    def proposals(self, levels: Sequence[Tensor], side: int) -> Tensor:
        """Return at most 1000 proposals, (n, 4), best first."""
        answers = [self.rpn(level.to(self.dtype)) for level in levels]
        scores, offsets = (torch.cat(parts, dim=1)[0] for parts in zip(*answers, strict=True))
        anchors = _anchors([(level.shape[2], level.shape[3]) for level in levels], side).to(scores)
        best = torch.sort(scores, descending=True, stable=True).indices[:BEFORE_NMS]
        boxes = _moved(anchors[best], offsets[best]).clamp(0, 1)
        return boxes[nms(boxes, scores[best], PROPOSAL_OVERLAP)[:PROPOSALS]]

    def detect(
        self, levels: Sequence[Tensor], boxes: Tensor, side: int, window: Tensor, min_score: float
    ) -> Detections:
        """Classify proposals, refine their boxes, and suppress overlapping ones of the same class.

        Args:
            levels: Features of the picture.
            boxes: Proposals, (n, 4).
            side: Side of the square that contains the picture, in pixels.
            window: (4,), the box of the picture in the square; detections are clipped to it.
            min_score: Minimum score, 0 to 1.
        """
        probabilities, offsets = self.box_head(_roi_align(levels[:4], boxes, BOX_POOL, side).to(self.dtype))
        scores, classes = probabilities.max(1)
        moved = _moved(boxes, offsets[torch.arange(len(boxes)), classes])
        moved = torch.maximum(torch.minimum(moved, window[2:].repeat(2)), window[:2].repeat(2))
        sure = torch.nonzero((classes > 0) & (scores >= min_score)).flatten()
        # Offset by class, so that boxes of different classes never suppress each other.
        apart = moved[sure] + 2 * classes[sure, None]
        kept = sure[nms(apart, scores[sure], DETECTION_OVERLAP)[:DETECTIONS]]
        return Detections(moved[kept], classes[kept], scores[kept])

    def masks(self, levels: Sequence[Tensor], found: Detections, side: int) -> Tensor:
        """Return the mask of each detection's own class, (n, 28, 28), 0 to 1."""
        masks = self.mask_head(_roi_align(levels[:4], found.boxes, MASK_POOL, side).to(self.dtype))
        return masks[torch.arange(len(masks)), found.classes]  # type: ignore[no-any-return]


def _anchors(shapes: Sequence[tuple[int, int]], side: int) -> Tensor:
    """Return the anchors, (n, 4), ordered by level, row, column and ratio."""
    anchors = []
    for (rows, columns), stride, anchor in zip(shapes, STRIDES, ANCHOR_SIDES, strict=True):
        half = torch.tensor([[anchor / math.sqrt(ratio), anchor * math.sqrt(ratio)] for ratio in ANCHOR_RATIOS]) / 2
        y, x = torch.meshgrid(torch.arange(rows) * stride, torch.arange(columns) * stride, indexing="ij")
        centre = torch.stack([y, x], -1)[:, :, None, :]
        anchors.append(torch.cat([centre - half, centre + half], -1).reshape(-1, 4))
    return (torch.cat(anchors) - torch.tensor([0.0, 0.0, 1.0, 1.0])) / (side - 1)


def _moved(boxes: Tensor, offsets: Tensor) -> Tensor:
    """Apply predicted offsets, (n, 4): shifts of the centre as fractions of the size, and log scales of the size."""
    offsets = offsets * offsets.new_tensor(BOX_DEVIATION)
    size = boxes[:, 2:] - boxes[:, :2]
    centre = boxes[:, :2] + 0.5 * size + offsets[:, :2] * size
    half = 0.5 * size * torch.exp(offsets[:, 2:])
    return torch.cat([centre - half, centre + half], 1)


def _roi_align(levels: Sequence[Tensor], boxes: Tensor, bins: int, side: int) -> Tensor:
    """Pool each box from the level that fits its size, one sample per bin: (n, 256, bins, bins)."""
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt() * side
    level_of = (4 + torch.log2(size / TYPICAL_SIDE).round()).clamp(2, 5).nan_to_num(2).long() - 2
    pooled = boxes.new_zeros(len(boxes), WIDTH, bins, bins)
    for number, level in enumerate(levels):
        mine = torch.nonzero(level_of == number).flatten()
        if len(mine):
            pooled[mine] = _samples(level, boxes[mine], bins)
    return pooled


def _samples(level: Tensor, boxes: Tensor, bins: int) -> Tensor:
    height, width = level.shape[2:]
    steps = torch.linspace(0, 1, bins, device=boxes.device)
    top, left, bottom, right = boxes[:, :, None].unbind(1)
    y, x = (top + (bottom - top) * steps) * (height - 1), (left + (right - left) * steps) * (width - 1)
    shape = (len(boxes), bins, bins)
    y, x = y[:, :, None].expand(shape).reshape(-1), x[:, None, :].expand(shape).reshape(-1)
    outside = (y < 0) | (y > height - 1) | (x < 0) | (x > width - 1)
    picture = torch.zeros(len(y), dtype=torch.long, device=boxes.device)
    values = pool(level, picture, taps(y, x, height, width, outside), samples=1)
    return values.view(*shape, -1).permute(0, 3, 1, 2)
