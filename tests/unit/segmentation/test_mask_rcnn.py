import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.mask_rcnn import random_model
from common.errors import StartError
from common.imaging.codec import Pixels, decode
from common.models.device import Device
from common.serving.engines import EngineRegistry
from common.settings import ImageLimits
from services.segmentation.engines.base import DetectionQuery
from services.segmentation.engines.mask_rcnn import torchvision_engine
from services.segmentation.engines.mask_rcnn.coco import BY_COCO_ID, BY_DENSE_ID
from services.segmentation.engines.mask_rcnn.load import load_mask_rcnn
from services.segmentation.engines.mask_rcnn.masks import paste, to_objects
from services.segmentation.engines.mask_rcnn.operators import SUBSTITUTES, nms, roi_align
from services.segmentation.engines.mask_rcnn.torchvision_engine import TorchvisionMaskRcnn, build
from services.segmentation.engines.registry import load_engines
from services.segmentation.engines.without_torchvision import import_detection
from services.segmentation.settings import SegmentationSettings
from testing.pictures import SAMPLE

pytestmark = pytest.mark.slow

EXACT = Device("cpu", bfloat16=False)
EVERYTHING = DetectionQuery(frozenset(), 0.0, 100)


def test_nms_keeps_what_brute_force_keeps() -> None:
    random = np.random.default_rng(0)
    corner = random.uniform(0, 60, (200, 2))
    boxes = np.hstack([corner, corner + random.uniform(0, 40, (200, 2))]).astype(np.float32)
    boxes[7] = boxes[3]
    boxes[9, 2:] = boxes[9, :2]  # zero area
    scores = random.uniform(0, 1, 200).astype(np.float32)
    scores[11] = scores[12]
    kept: list[int] = []
    for index in sorted(range(200), key=lambda one: -scores[one]):
        if all(_iou(boxes[index], boxes[other]) <= 0.5 for other in kept):
            kept.append(index)
    assert nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5).tolist() == kept
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def _iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / area) if area > 0 else 0.0


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("samples", [1, 2, 3])
def test_roi_align_samples_what_brute_force_samples(samples: int, aligned: bool) -> None:
    torch.manual_seed(0)
    features = torch.randn(2, 3, 11, 17)
    rois = torch.tensor(
        [
            [0, 0, 0, 67, 43],
            [1, 10.5, 3.25, 30.1, 20.9],
            [0, 50, 30, 51, 31],
            [1, -20, -10, 10, 90],
            [0, 60, 40, 90, 70],
        ]
    )
    found = roi_align(features, rois, 0.25, 4, 5, samples, aligned)
    assert found.shape == (5, 3, 4, 5)
    assert np.allclose(found.numpy(), _roi_align(features.double().numpy(), rois.tolist(), samples, aligned), atol=1e-5)


def _roi_align(
    features: NDArray[np.float64], rois: list[list[float]], samples: int, aligned: bool
) -> NDArray[np.float64]:
    pooled = np.zeros((len(rois), 3, 4, 5))
    for index, (picture, *box) in enumerate(rois):
        left, top, right, bottom = (side * 0.25 - (0.5 if aligned else 0) for side in box)
        width, height = right - left, bottom - top
        if not aligned:
            width, height = max(width, 1), max(height, 1)
        for row in range(4):
            for column in range(5):
                total = np.zeros(3)
                for i in range(samples):
                    for j in range(samples):
                        y = top + (row + (i + 0.5) / samples) * height / 4
                        x = left + (column + (j + 0.5) / samples) * width / 5
                        total += _bilinear(features[int(picture)], y, x)
                pooled[index, :, row, column] = total / samples**2
    return pooled


def _bilinear(channels: NDArray[np.float64], y: float, x: float) -> NDArray[np.float64]:
    height, width = channels.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(len(channels))
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = math.floor(y), math.floor(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = channels[:, top, left] * (1 - x + left) + channels[:, top, right] * (x - left)
    lower = channels[:, bottom, left] * (1 - x + left) + channels[:, bottom, right] * (x - left)
    return np.asarray(upper * (1 - y + top) + lower * (y - top))


def test_a_sample_count_that_depends_on_the_box_is_rejected() -> None:
    with pytest.raises(NotImplementedError, match="fixed number"):
        roi_align(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5), 1.0, 2, 2, 0, aligned=False)


def test_the_classes_are_cocos() -> None:
    import_detection(SUBSTITUTES)
    from torchvision.models._meta import _COCO_CATEGORIES as CATEGORIES

    assert {number: name for number, name in enumerate(CATEGORIES) if number and name != "N/A"} == BY_COCO_ID
    assert list(BY_DENSE_ID.values()) == list(BY_COCO_ID.values())
    assert (min(BY_DENSE_ID), max(BY_DENSE_ID)) == (1, 80)


@pytest.fixture(scope="module")
def picture() -> Pixels:
    """Return the sample photo at the engine's working size, so that masks are more than a few pixels wide."""
    return np.asarray(
        cv2.resize(decode(SAMPLE.read_bytes(), ImageLimits()), (1000, 800), interpolation=cv2.INTER_AREA), np.uint8
    )


@pytest.fixture(scope="module", params=[1, 2])
def reference(request: pytest.FixtureRequest, picture: Pixels) -> tuple[int, nn.Module]:
    """Return a version of torchvision's model, and the model with seeded weights."""
    return request.param, random_model(torch.from_numpy(picture).permute(2, 0, 1).float() / 255, request.param)


def test_the_answers_are_torchvisions(
    reference: tuple[int, Any], picture: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, model = reference
    torch.save(model.state_dict(), tmp_path / "maskrcnn.pth")
    engine = TorchvisionMaskRcnn.load(tmp_path / "maskrcnn.pth", EXACT)
    assert engine.name == f"mask_rcnn_r50_fpn_v{version}"
    with torch.inference_mode():
        scaled, _ = model.transform([torch.from_numpy(picture).permute(2, 0, 1).float() / 255])
        features = model.backbone(scaled.tensors)
        [wanted], _ = model.roi_heads(features, model.rpn(scaled, features)[0], scaled.image_sizes)
    # Capture detections before their masks are pasted into the picture.
    monkeypatch.setattr(torchvision_engine, "to_objects", lambda *found: [found])
    found: Any = engine.detect(picture, EVERYTHING)
    [(labels, scores, boxes, masks, *_)] = found
    scale = picture.shape[1] / scaled.image_sizes[0][1]
    apart = np.abs(boxes[:, None] - wanted["boxes"].numpy() * scale).max(-1)
    matches = [
        (mine, theirs)
        for mine, theirs in enumerate(apart.argmin(1).tolist())
        if apart[mine, theirs] < 0.1 and labels[mine] == BY_COCO_ID.get(int(wanted["labels"][theirs]), "")
    ]
    # The last of a hundred boxes, and ties, may differ.
    assert len(matches) > 90
    mine, theirs = (list(indices) for indices in zip(*matches, strict=True))
    assert np.allclose(np.array(scores)[mine], wanted["scores"].numpy()[theirs], atol=1e-3)
    assert np.abs(masks[mine] - wanted["masks"].numpy()[theirs, 0]).max() < 0.02


def _mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


def test_names_and_epsilon_of_the_first_files_are_known(tmp_path: Path) -> None:
    torch.manual_seed(0)
    old = {}
    for name, tensor in build(1).state_dict().items():
        if not name.endswith("num_batches_tracked"):
            for new, was in (
                ("rpn.head.conv.0.0.", "rpn.head.conv."),
                *((f"roi_heads.mask_head.{i}.0.", f"roi_heads.mask_head.mask_fcn{i + 1}.") for i in range(4)),
                *((f"_blocks.{i}.0.", f"_blocks.{i}.") for i in range(4)),
            ):
                name = name.replace(new, was)
            old[name] = tensor
    torch.save(old, tmp_path / "maskrcnn_resnet50_fpn_coco.pth")
    engine = load_mask_rcnn(tmp_path / "maskrcnn_resnet50_fpn_coco.pth", EXACT)
    assert engine.name == "mask_rcnn_r50_fpn_v1"


def _one_less(tensors: dict[str, Tensor]) -> object:
    return {name: tensor for name, tensor in tensors.items() if name != "rpn.head.bbox_pred.bias"}


def _other_classes(tensors: dict[str, Tensor]) -> object:
    return {**tensors, "roi_heads.box_predictor.cls_score.bias": torch.zeros(3)}


def _something_else(_: dict[str, Tensor]) -> object:
    return {"weight": torch.zeros(3)}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_one_less, r"lacks rpn\.head\.bbox_pred\.bias"),
        (_other_classes, r"has other shapes of roi_heads\.box_predictor\.cls_score\.bias"),
        (_something_else, "is not a checkpoint of torchvision's"),
    ],
)
def test_a_wrong_file_stops_the_start_in_one_line(
    reference: tuple[int, nn.Module], tmp_path: Path, spoil: Callable[[dict[str, Tensor]], object], told: str
) -> None:
    file = tmp_path / "maskrcnn_resnet50_fpn.pth"
    torch.save(spoil(reference[1].state_dict()), file)
    with pytest.raises(StartError, match=told) as error:
        load_engines(SegmentationSettings(weights_dir=tmp_path), EngineRegistry())
    assert str(file) in str(error.value)


def test_asking_for_mask_rcnn_without_weights_is_an_error_that_says_where(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"maskrcnn_\*\.pth or .*mask_rcnn_\*\.safetensors"):
        load_engines(SegmentationSettings(object_finder="mask_rcnn", weights_dir=tmp_path), EngineRegistry())


@pytest.mark.parametrize(("height", "width"), [(97, 131), (480, 640), (1500, 2000)])
def test_a_mask_lands_where_its_box_is(height: int, width: int) -> None:
    disc = np.hypot(*(np.mgrid[:28, :28] - 13.5)) < 14
    box = np.array([0.2 * width, 0.3 * height, 0.7 * width, 0.9 * height], np.float32)
    found = paste(disc.astype(np.float32), box, height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    wanted = np.hypot((x - box[[0, 2]].mean()) / (box[2] - box[0]), (y - box[[1, 3]].mean()) / (box[3] - box[1])) < 0.5
    assert _mask_iou(found, wanted) > 0.95


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ((-10, -10, 10, 10), (slice(0, 10), slice(0, 10))),
        ((90, 40, 150, 80), (slice(40, 50), slice(90, 100))),
        ((3, 4, 4, 5), (slice(4, 5), slice(3, 4))),
        ((200, 200, 210, 210), (slice(0, 0), slice(0, 0))),
        ((10, 10, 10, 10), (slice(0, 0), slice(0, 0))),
    ],
)
def test_a_mask_is_cut_off_at_the_pictures_edge(box: tuple[float, ...], pixels: tuple[slice, slice]) -> None:
    wanted = np.zeros((50, 100), np.bool_)
    wanted[pixels] = True
    assert np.array_equal(paste(np.ones((28, 28), np.float32), np.array(box, np.float32), 50, 100), wanted)


def test_what_has_no_pixel_is_left_out() -> None:
    boxes = np.array([[0, 0, 5, 5], [60, 60, 70, 70]], np.float32)
    found = list(to_objects(["cup", "fork"], [0.9, 0.8], boxes, np.ones((2, 28, 28), np.float32), 50, 50))
    assert [one.label for one in found] == ["cup"]
