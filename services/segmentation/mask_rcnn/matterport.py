"""Mask R-CNN as matterport's Keras implementation defines it, and as its checkpoints (mask_rcnn_coco.h5) need it.

The graph is that of He et al., "Mask R-CNN" (2017) with a feature pyramid (Lin et al., 2017). It differs from
torchvision's in what its weights depend on: the stride of a block is in its first 1x1 convolution, normalisations have
an epsilon of 1e-3, the pyramid has none, boxes are (top, left, bottom, right) as parts of the picture, and RoIAlign
takes one sample a bin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from services.segmentation.mask_rcnn.operators import nms
from services.segmentation.mask_rcnn.sampling import pool, taps

CLASSES = 81
EPSILON = 1e-3
WIDTH = 256
"""Channels of the feature pyramid."""
STRIDES = (4, 8, 16, 32, 64)
ANCHOR_SIDES = (32, 64, 128, 256, 512)
"""One a level, in pixels."""
ANCHOR_RATIOS = (0.5, 1.0, 2.0)
BOX_DEVIATION = (0.1, 0.1, 0.2, 0.2)
"""What the network's offsets of boxes are multiplied by."""
BEFORE_NMS, PROPOSALS, PROPOSAL_OVERLAP = 6000, 1000, 0.7
DETECTIONS, DETECTION_OVERLAP = 100, 0.3
BOX_POOL, MASK_POOL = 7, 14
USUAL_SIDE = 224
"""A box of this many pixels a side is pooled from the fourth level (Lin et al., equation 1)."""
BLOCKS = {50: 6, 101: 23}
"""Blocks of the fourth stage, by the name of the ResNet."""


class ConvBn(nn.Sequential):
    """A convolution and its normalisation."""

    conv: nn.Conv2d
    bn: nn.BatchNorm2d

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        self.add_module("conv", nn.Conv2d(inputs, outputs, kernel, stride, padding))
        self.add_module("bn", nn.BatchNorm2d(outputs, eps=EPSILON))

    def fold(self) -> None:
        """Put the normalisation into the convolution."""
        self.conv = fuse_conv_bn_eval(self.conv, self.bn)
        del self.bn


class Block(nn.Module):
    """A bottleneck: 1x1 (with the stride), 3x3, 1x1, and the input added, through a 1x1 where its shape changes."""

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
    """(B, 3, H, W) to the four stages' features, at strides 4, 8, 16 and 32."""

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
        # Keras pads as little as is needed, and at the end first: even sides get one more row and column there.
        x = functional.max_pool2d(functional.pad(first, (0, 1, 0, 1)), 3, 2)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class Pyramid(nn.Module):
    """The four stages' features to those of five levels, 256 channels each, at strides 4 to 64."""

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
    """The region proposal network: a level's features to its anchors' scores (B, n) and offsets (B, n, 4)."""

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
    """Features of boxes (n, 256, 7, 7) to class probabilities (n, 81) and each class's offsets (n, 81, 4)."""

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
    """Features of boxes (n, 256, 14, 14) to each class's mask, (n, 81, 28, 28), 0 to 1."""

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
    """Objects in one picture: boxes (n, 4) as parts of it, classes (n,), scores (n,), best first."""

    boxes: Tensor
    classes: Tensor
    scores: Tensor


class MaskRcnn(nn.Module):
    """The whole network. Holds no state of any picture.

    Boxes are (top, left, bottom, right), 0 to 1, where 1 is the centre of the last pixel.

    Args:
        depth: Of the ResNet: 50 or 101.
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
        """Fold normalisations, keep channels last, and run all but the predictors of classes and boxes in dtype."""
        for module in self.modules():
            if isinstance(module, ConvBn):
                module.fold()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.to(dtype)
        for exact in (self.box_head.logits, self.box_head.boxes):
            exact.float()
        self.dtype = dtype

    def features(self, picture: Tensor) -> list[Tensor]:
        """Give the five levels' features, float32, of a picture (1, 3, S, S) whose side is a multiple of 64."""
        levels = self.pyramid(self.resnet(picture.to(self.dtype)))
        return [level.float() for level in levels]

    def proposals(self, levels: Sequence[Tensor], side: int) -> Tensor:
        """Give the boxes where objects may be, (n, 4), at most 1000, the likeliest first."""
        answers = [self.rpn(level.to(self.dtype)) for level in levels]
        scores, offsets = (torch.cat(parts, dim=1)[0] for parts in zip(*answers, strict=True))
        anchors = _anchors([(level.shape[2], level.shape[3]) for level in levels], side).to(scores)
        best = torch.sort(scores, descending=True, stable=True).indices[:BEFORE_NMS]
        boxes = _moved(anchors[best], offsets[best]).clamp(0, 1)
        return boxes[nms(boxes, scores[best], PROPOSAL_OVERLAP)[:PROPOSALS]]

    def detect(
        self, levels: Sequence[Tensor], boxes: Tensor, side: int, window: Tensor, min_score: float
    ) -> Detections:
        """Classify proposals, move them to their objects, and keep the best of those that overlap.

        Args:
            levels: Of the picture.
            boxes: Proposals (n, 4).
            side: Of the square that the picture lies in, in pixels.
            window: (4,) where in the square the picture lies: boxes are cut off there.
            min_score: What scores less is dropped.
        """
        probabilities, offsets = self.box_head(_roi_align(levels[:4], boxes, BOX_POOL, side).to(self.dtype))
        scores, classes = probabilities.max(1)
        moved = _moved(boxes, offsets[torch.arange(len(boxes)), classes])
        moved = torch.maximum(torch.minimum(moved, window[2:].repeat(2)), window[:2].repeat(2))
        sure = torch.nonzero((classes > 0) & (scores >= min_score)).flatten()
        # Classes never suppress each other: each is moved to a place of its own.
        apart = moved[sure] + 2 * classes[sure, None]
        kept = sure[nms(apart, scores[sure], DETECTION_OVERLAP)[:DETECTIONS]]
        return Detections(moved[kept], classes[kept], scores[kept])

    def masks(self, levels: Sequence[Tensor], found: Detections, side: int) -> Tensor:
        """Give the masks (n, 28, 28), 0 to 1, of each detection's own class."""
        masks = self.mask_head(_roi_align(levels[:4], found.boxes, MASK_POOL, side).to(self.dtype))
        return masks[torch.arange(len(masks)), found.classes]  # type: ignore[no-any-return]


def _anchors(shapes: Sequence[tuple[int, int]], side: int) -> Tensor:
    """The boxes that offsets are relative to, (n, 4): level by level, row by row, ratio by ratio."""
    anchors = []
    for (rows, columns), stride, anchor in zip(shapes, STRIDES, ANCHOR_SIDES, strict=True):
        half = torch.tensor([[anchor / math.sqrt(ratio), anchor * math.sqrt(ratio)] for ratio in ANCHOR_RATIOS]) / 2
        y, x = torch.meshgrid(torch.arange(rows) * stride, torch.arange(columns) * stride, indexing="ij")
        centre = torch.stack([y, x], -1)[:, :, None, :]
        anchors.append(torch.cat([centre - half, centre + half], -1).reshape(-1, 4))
    return (torch.cat(anchors) - torch.tensor([0.0, 0.0, 1.0, 1.0])) / (side - 1)


def _moved(boxes: Tensor, offsets: Tensor) -> Tensor:
    """Apply the network's offsets, (n, 4): of the centre in sizes, and of the size as a logarithm."""
    offsets = offsets * offsets.new_tensor(BOX_DEVIATION)
    size = boxes[:, 2:] - boxes[:, :2]
    centre = boxes[:, :2] + 0.5 * size + offsets[:, :2] * size
    half = 0.5 * size * torch.exp(offsets[:, 2:])
    return torch.cat([centre - half, centre + half], 1)


def _roi_align(levels: Sequence[Tensor], boxes: Tensor, bins: int, side: int) -> Tensor:
    """Sample each box from the level that fits its size, once a bin: (n, 256, bins, bins)."""
    size = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt() * side
    level_of = (4 + torch.log2(size / USUAL_SIDE).round()).clamp(2, 5).nan_to_num(2).long() - 2
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
