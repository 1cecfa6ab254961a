"""Mask R-CNN as torchvision builds it: maskrcnn_resnet50_fpn and maskrcnn_resnet50_fpn_v2."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from services.runtime.checkpoint import load_state, put_into
from services.runtime.device import Device
from services.runtime.image import Pixels
from services.segmentation.engine import FoundObject, Wanted
from services.segmentation.mask_rcnn.coco import BY_COCO_ID
from services.segmentation.mask_rcnn.detection import LEAST_SCORE, to_objects
from services.segmentation.mask_rcnn.operators import import_detection

EXPECTED = "a checkpoint of torchvision's maskrcnn_resnet50_fpn or maskrcnn_resnet50_fpn_v2"
CLASSES = 91
# Counters of training steps change no answer; files trained with frozen normalisations do not hold them.
COUNTERS = ".num_batches_tracked"


class TorchvisionMaskRcnn:
    """The detector. Holds no state of any picture: safe to call from several threads.

    Args:
        name: As answers and records show it.
        model: torchvision's MaskRCNN, in evaluation mode.
        device: Where, and how exactly, to run it.
    """

    def __init__(self, name: str, model: Any, device: Device) -> None:
        self.name = name
        self._device = device.name
        self._dtype = torch.bfloat16 if device.bfloat16 else torch.float32
        self._model = model
        self._model.roi_heads.score_thresh = LEAST_SCORE
        self._model.to(device.name)
        speed_up(model, self._dtype)

    @classmethod
    def load(cls, path: Path, device: Device) -> "TorchvisionMaskRcnn":
        """Load a checkpoint, strictly; which of the two models it is, its tensors tell.

        Raises:
            ValueError: The file is neither, or is damaged; the text names the file and what was expected.
        """
        state = load_state(path, EXPECTED)
        version = 2 if "backbone.fpn.inner_blocks.0.1.weight" in state else 1
        model = build(version)
        counters = {name: value for name, value in model.state_dict().items() if name.endswith(COUNTERS)}
        put_into(model, {**counters, **_renamed(state)}, path, EXPECTED)
        if not any(name.endswith(COUNTERS) for name in state):
            # Trained with frozen normalisations, which torchvision runs without an epsilon.
            for module in model.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = 0.0
        return cls(f"mask_rcnn_r50_fpn_v{version}", model, device)

    @torch.inference_mode()
    def detect(self, picture: Pixels, wanted: Wanted) -> list[FoundObject]:
        """See Detector. Picture, features, proposals, boxes, masks (He et al., "Mask R-CNN", 2017, section 3)."""
        return list(self._detect(picture, wanted))

    def _detect(self, picture: Pixels, wanted: Wanted) -> Iterator[FoundObject]:
        height, width = picture.shape[:2]
        scaled, _ = self._model.transform([torch.from_numpy(picture).to(self._device).permute(2, 0, 1).float() / 255])
        pixels = scaled.tensors.to(self._dtype).contiguous(memory_format=torch.channels_last)
        features = self._model.backbone(pixels)
        # Anchors take the dtype of the features, and bfloat16 cannot tell places apart.
        exact = {level: maps.float() for level, maps in features.items()}
        proposals, _ = self._model.rpn(scaled, exact)
        boxes, scores, numbers = self._boxes(exact, proposals, scaled.image_sizes)
        labels = [BY_COCO_ID.get(number, "") for number in numbers.tolist()]
        chosen = wanted.among(labels, scores.tolist())
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
        """Give the boxes (n, 4) in the scaled picture, their scores (n,) and the numbers of their classes (n,)."""
        heads = self._model.roi_heads
        pooled = heads.box_roi_pool(features, proposals, sizes).to(self._dtype)
        classes, offsets = heads.box_predictor(heads.box_head(pooled).float())
        boxes, scores, numbers = heads.postprocess_detections(classes, offsets, proposals, sizes)
        return boxes[0], scores[0], numbers[0]

    def _masks(
        self, features: Mapping[str, Tensor], boxes: Tensor, numbers: Tensor, sizes: list[tuple[int, int]]
    ) -> Tensor:
        """Give the masks (n, 28, 28), 0 to 1, of each box's own class."""
        heads = self._model.roi_heads
        pooled = heads.mask_roi_pool(features, [boxes], sizes).to(self._dtype)
        logits = heads.mask_predictor(heads.mask_head(pooled)).float()
        own: Tensor = logits[torch.arange(len(numbers)), numbers]
        return own.sigmoid()


def build(version: int) -> nn.Module:
    """Build torchvision's model without weights: 1, maskrcnn_resnet50_fpn, or 2, maskrcnn_resnet50_fpn_v2."""
    detection = import_detection()
    make = detection.maskrcnn_resnet50_fpn_v2 if version == 2 else detection.maskrcnn_resnet50_fpn
    model: nn.Module = make(weights=None, weights_backbone=None, num_classes=CLASSES)
    return model.eval()


def _renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Files older than torchvision 0.13 name the layers that it later put into blocks without the block's index."""
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
    """Fold normalisations into convolutions, keep channels last, and run all but the last layers in dtype.

    The predictors of classes and boxes, and what turns them into boxes, stay in float32.
    """
    _fold_normalisations(model)
    model.to(memory_format=torch.channels_last)
    for part in (model.backbone, model.rpn.head.conv, model.roi_heads.box_head, model.roi_heads.mask_head):
        part.to(dtype)
    model.roi_heads.mask_predictor.to(dtype)
    model.rpn.head = _ExactLogits(model.rpn.head, dtype)


class _ExactLogits(nn.Module):
    """The head of the region proposal network: its shared convolution in dtype, its answers in float32."""

    def __init__(self, head: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.head = head
        self.dtype = dtype

    def forward(self, features: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        shared = [self.head.conv(level.to(self.dtype)).float() for level in features]
        return [self.head.cls_logits(level) for level in shared], [self.head.bbox_pred(level) for level in shared]


def _fold_normalisations(module: nn.Module) -> None:
    """Put every normalisation that follows a convolution into it."""
    previous_name, previous = "", module
    for name, child in list(module.named_children()):
        if isinstance(previous, nn.Conv2d) and isinstance(child, nn.BatchNorm2d):
            setattr(module, previous_name, fuse_conv_bn_eval(previous, child))
            setattr(module, name, nn.Identity())
        _fold_normalisations(child)
        previous_name, previous = name, child
