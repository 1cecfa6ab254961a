"""Speed-up of our Mask R-CNN over torchvision's own model in float32, on the same weights, picture and device.

Random weights score all boxes alike, so they are fitted to the picture: the sample photo at 1024x1024. Boxes agree if
their class is the same and their IoU exceeds 0.9; masks are compared on those.

    python -m bench.mask_rcnn [RUNS]
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from common.models.device import choose_device
from services.segmentation.engines.base import DetectionQuery
from services.segmentation.engines.mask_rcnn.coco import BY_COCO_ID
from services.segmentation.engines.mask_rcnn.torchvision_engine import TorchvisionMaskRcnn, build
from services.segmentation.settings import SegmentationSettings

SAMPLE = Path("gateway/web/sample.jpg")
SIDE = 1024
SAME_BOX = 0.9
DIRECTIONS = 8
RESIDUAL = 0.2
"""Scale of each residual branch: small, as in trained networks, so that rounding does not grow from block to block."""
LIVELY = 2.0
"""Scale of the predictors' random weights."""
SOLID = 4.0
"""Bias added to the mask logits, so that masks fill most of their boxes."""


def random_model(pixels: Tensor, version: int = 1) -> nn.Module:
    """Return torchvision's model with seeded weights, fitted to the picture as training would.

    Features are normalised, and the last layers read the directions of largest variance, not noise.
    """
    torch.manual_seed(0)
    model: Any = build(version)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    heads = model.roi_heads
    with torch.no_grad():
        for name, parameter in model.backbone.body.named_parameters():
            if name.endswith("bn3.weight"):
                parameter.fill_(RESIDUAL)
        scaled, _ = model.transform([pixels])
        model.backbone.train()(scaled.tensors)
        features = model.eval().backbone(scaled.tensors)
        shared = [model.rpn.head.conv(level).permute(0, 2, 3, 1).flatten(0, 2) for level in features.values()]
        _read_differences(model.rpn.head.cls_logits, torch.cat(shared))
        proposals, _ = model.rpn(scaled, features)
        _read_differences(
            heads.box_predictor.cls_score, heads.box_head(heads.box_roi_pool(features, proposals, scaled.image_sizes))
        )
        some = [proposals[0][:50]]
        pooled = heads.mask_head(heads.mask_roi_pool(features, some, scaled.image_sizes))
        cells = heads.mask_predictor.relu(heads.mask_predictor.conv5_mask(pooled))
        _read_differences(heads.mask_predictor.mask_fcn_logits, cells.permute(0, 2, 3, 1).flatten(0, 2))
        heads.mask_predictor.mask_fcn_logits.bias.add_(SOLID)
    return model  # type: ignore[no-any-return]


def _read_differences(layer: Any, inputs: Tensor) -> None:
    """Set the layer to a random mix of the principal components of its inputs, (n, channels)."""
    _, spread, directions = torch.pca_lowrank(inputs, DIRECTIONS)
    weight = LIVELY * torch.randn(len(layer.bias), DIRECTIONS) @ (directions / (spread / len(inputs) ** 0.5)).T
    layer.weight.copy_(weight.view_as(layer.weight))
    layer.bias.copy_(-weight @ inputs.mean(0))


def measure(runs: int) -> dict[str, Any]:
    """Time both in turn and compare their detections."""
    photo = cv2.cvtColor(np.asarray(cv2.imread(str(SAMPLE)), np.uint8), cv2.COLOR_BGR2RGB)
    picture = np.asarray(cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    device = choose_device(SegmentationSettings())
    reference: Any = random_model(pixels)
    reference.transform.min_size, reference.transform.max_size = (SIDE,), SIDE
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "maskrcnn.pth")
        torch.save(reference.state_dict(), file)
        ours = TorchvisionMaskRcnn.load(file, device)
    ours._model.transform.min_size, ours._model.transform.max_size = (SIDE,), SIDE
    reference.to(device.name)
    everything = DetectionQuery(frozenset(), 0.0, 100)
    times: list[list[float]] = [[], []]
    with torch.inference_mode():
        for _ in range(runs + 1):
            start = time.perf_counter()
            found = ours.detect(picture, everything)
            middle = time.perf_counter()
            [found_there] = reference([pixels.to(device.name)])
            wanted = {key: value.cpu() for key, value in found_there.items()}
            times[0].append(middle - start)
            times[1].append(time.perf_counter() - middle)
    seconds, reference_seconds = (statistics.median(taken[1:]) for taken in times)
    boxes = np.array([(one.box.left, one.box.top, one.box.right, one.box.bottom) for one in found], np.float32)
    masks = np.stack([one.mask for one in found])
    their_masks = (wanted["masks"][:, 0] > 0.5).numpy()
    their_boxes = np.array([_bounds(mask) for mask in their_masks], np.float32)
    their_labels = [BY_COCO_ID.get(number, "") for number in wanted["labels"].tolist()]
    pairs = [
        (mine, theirs)
        for theirs, box in enumerate(their_boxes)
        for mine in [int(np.argmax(_overlaps(boxes, box)))]
        if _overlaps(boxes, box)[mine] > SAME_BOX and found[mine].label == their_labels[theirs]
    ]
    shared = [
        (masks[mine] & their_masks[theirs]).sum() / (masks[mine] | their_masks[theirs]).sum() for mine, theirs in pairs
    ]
    return {
        "device": device.name,
        "ratio": round(reference_seconds / seconds, 2),
        "boxes": len(their_boxes),
        "boxes_agreeing": round(len(pairs) / max(1, len(their_boxes)), 3),
        "mask_iou": round(float(np.mean(shared)), 4) if shared else 0.0,
        "seconds": round(seconds, 3),
        "reference_seconds": round(reference_seconds, 3),
    }


def _bounds(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return left, top, left + width, top + height


def _overlaps(boxes: NDArray[np.float32], box: NDArray[np.float32]) -> NDArray[np.float32]:
    near, far = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = (far - near).clip(0).prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (box[2:] - box[:2]).prod() - shared
    return np.asarray(shared / np.maximum(areas, 1e-6), np.float32)


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    for key, value in figures.items():
        print(f"{key:20} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
