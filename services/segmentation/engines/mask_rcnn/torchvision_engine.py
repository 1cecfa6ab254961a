"""Mask R-CNN engine on torchvision's maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from common.imaging.codec import Pixels
from common.models.checkpoint import assign_state, load_state
from common.models.device import Device
from services.segmentation.engines.base import DetectionQuery, FoundObject
from services.segmentation.engines.mask_rcnn.coco import BY_COCO_ID
from services.segmentation.engines.mask_rcnn.masks import MIN_SCORE, to_objects
from services.segmentation.engines.mask_rcnn.operators import SUBSTITUTES
from services.segmentation.engines.without_torchvision import import_detection

EXPECTED = "a checkpoint of torchvision's maskrcnn_resnet50_fpn or maskrcnn_resnet50_fpn_v2"
CLASSES = 91
# Counters of training steps do not affect results; checkpoints trained with frozen normalisations lack them.
COUNTERS = ".num_batches_tracked"


class TorchvisionMaskRcnn:
    """Mask R-CNN detector. Thread-safe: keeps no per-picture state.

    Args:
        name: Name in responses and records.
        model: torchvision's MaskRCNN, in evaluation mode.
        device: Device and precision.
    """

    def __init__(self, name: str, model: Any, device: Device) -> None:
        self.name = name
        self._device = device.name
        self._dtype = torch.bfloat16 if device.bfloat16 else torch.float32
        self._model = model
        self._model.roi_heads.score_thresh = MIN_SCORE
        self._model.to(device.name)
        speed_up(model, self._dtype)

    @classmethod
    def load(cls, path: Path, device: Device) -> "TorchvisionMaskRcnn":
        """Load a checkpoint, strictly, detecting the model version from its tensors.

        Raises:
            ValueError: The file is neither model, or is damaged; the message names the file and what was expected.
        """
        state = load_state(path, EXPECTED)
        version = 2 if "backbone.fpn.inner_blocks.0.1.weight" in state else 1
        model = build(version)
        counters = {name: value for name, value in model.state_dict().items() if name.endswith(COUNTERS)}
        assign_state(model, {**counters, **_renamed(state)}, path, EXPECTED)
        if not any(name.endswith(COUNTERS) for name in state):
            # Trained with frozen normalisations, which torchvision runs with an epsilon of 0.
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = 0.0
        return cls(f"mask_rcnn_r50_fpn_v{version}", model, device)

    @torch.inference_mode()
    def detect(self, picture: Pixels, query: DetectionQuery) -> list[FoundObject]:
        """See Detector. Features, proposals, boxes, then masks (He et al., "Mask R-CNN", 2017, section 3)."""
        return list(self._detect(picture, query))

    def _detect(self, picture: Pixels, query: DetectionQuery) -> Iterator[FoundObject]:
        height, width = picture.shape[:2]
        scaled, _ = self._model.transform([torch.from_numpy(picture).to(self._device).permute(2, 0, 1).float() / 255])
        pixels = scaled.tensors.to(self._dtype).contiguous(memory_format=torch.channels_last)
        features = self._model.backbone(pixels)
        # Anchors inherit the dtype of the features, and bfloat16 is too coarse for coordinates.
        exact = {level: maps.float() for level, maps in features.items()}
        proposals, _ = self._model.rpn(scaled, exact)
        boxes, scores, numbers = self._boxes(exact, proposals, scaled.image_sizes)
        labels = [BY_COCO_ID.get(number, "") for number in numbers.tolist()]
        chosen = query.select(labels, scores.tolist())
        if not chosen:
            return
        masks = self._masks(exact, boxes[chosen], numbers[chosen], scaled.image_sizes)
        [(scaled_height, scaled_width)] = scaled.image_sizes
        scale = np.array([width / scaled_width, height / scaled_height] * 2, np.float32)
        chosen_labels, chosen_scores = [labels[index] for index in chosen], [float(scores[index]) for index in chosen]
        yield from to_objects(
            chosen_labels, chosen_scores, boxes[chosen].cpu().numpy() * scale, masks.cpu().numpy(), height, width
        )

    def _boxes(
        self, features: Mapping[str, Tensor], proposals: list[Tensor], sizes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes (n, 4) in pixels of the scaled picture, their scores (n,) and class ids (n,)."""
        heads = self._model.roi_heads
        pooled = heads.box_roi_pool(features, proposals, sizes).to(self._dtype)
        classes, offsets = heads.box_predictor(heads.box_head(pooled).float())
        boxes, scores, numbers = heads.postprocess_detections(classes, offsets, proposals, sizes)
        return boxes[0], scores[0], numbers[0]

    def _masks(
        self, features: Mapping[str, Tensor], boxes: Tensor, numbers: Tensor, sizes: list[tuple[int, int]]
    ) -> Tensor:
        """Return the mask of each box's own class, (n, 28, 28), 0 to 1."""
        heads = self._model.roi_heads
        pooled = heads.mask_roi_pool(features, [boxes], sizes).to(self._dtype)
        logits = heads.mask_predictor(heads.mask_head(pooled)).float()
        own: Tensor = logits[torch.arange(len(numbers)), numbers]
        return own.sigmoid()


def build(version: int) -> nn.Module:
    """Build maskrcnn_resnet50_fpn (version 1) or maskrcnn_resnet50_fpn_v2 (version 2), without weights."""
    detection = import_detection(SUBSTITUTES)
    make = detection.maskrcnn_resnet50_fpn_v2 if version == 2 else detection.maskrcnn_resnet50_fpn
    model: nn.Module = make(weights=None, weights_backbone=None, num_classes=CLASSES)
    return model.eval()


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the block indices that layer names lack in checkpoints older than torchvision 0.13."""
    renamed = {}
    for name, value in state.items():
        parts = name.split(".")
        if name.startswith("backbone.fpn.") and len(parts) == 5:
            parts.insert(4, "0")
        elif name.startswith("rpn.head.conv.") and len(parts) == 4:
            parts[3:3] = ["0", "0"]
        elif name.startswith("roi_heads.mask_head.mask_fcn") and len(parts) == 4:
            parts = ["roi_heads", "mask_head", str(int(parts[2].removeprefix("mask_fcn")) - 1), "0", parts[3]]
        renamed[".".join(parts)] = value
    return renamed


def speed_up(model: Any, dtype: torch.dtype) -> None:
    """Fold normalisations into convolutions, use channels-last memory, and run all but the last layers in dtype.

    The class and box predictors, and the decoding of their outputs, stay in float32.
    """
    _fold_normalisations(model)
    model.to(memory_format=torch.channels_last)
    for part in (model.backbone, model.rpn.head.conv, model.roi_heads.box_head, model.roi_heads.mask_head):
        part.to(dtype)
    model.roi_heads.mask_predictor.to(dtype)
    model.rpn.head = _ExactLogits(model.rpn.head, dtype)


class _ExactLogits(nn.Module):
    """Head of the region proposal network: shared convolution in dtype, predictors in float32."""

    def __init__(self, head: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.head = head
        self.dtype = dtype

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        shared = [self.head.conv(level.to(self.dtype)).float() for level in features]
        return [self.head.cls_logits(level) for level in shared], [self.head.bbox_pred(level) for level in shared]


def _fold_normalisations(module: nn.Module) -> None:
    """Fold every normalisation that follows a convolution into it."""
    previous_name, previous = "", module
    for name, child in list(module.named_children()):
        if isinstance(previous, nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
            setattr(module, previous_name, fuse_conv_bn_eval(previous, child))
            setattr(module, name, nn.Identity())
        _fold_normalisations(child)
        previous_name, previous = name, child
