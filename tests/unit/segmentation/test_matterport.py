from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from common.models.device import Device
from services.segmentation.engines.base import DetectionQuery
from services.segmentation.engines.mask_rcnn.load import load_mask_rcnn
from services.segmentation.engines.mask_rcnn.matterport import Detections, MaskRcnn
from services.segmentation.engines.mask_rcnn.matterport_checkpoint import load_matterport
from services.segmentation.engines.mask_rcnn.matterport_engine import molded
from tests.unit.segmentation.matterport_original import KEPT, LEVELS, OUTPUT
from tests.unit.segmentation.matterport_reference import Reference, write_random
from weights.convert import ConvertError, convert

pytestmark = pytest.mark.slow

SIDE = 128
WINDOW = (0.1, 0.0, 0.9, 1.0)
EXACT = Device("cpu", bfloat16=False)


@pytest.fixture(scope="module", params=[50, 101])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MaskRcnn, Reference]]:
    """Yield our model and the reference with the same random weights, loaded from a file."""
    file = tmp_path_factory.mktemp("matterport") / "mask_rcnn_random.h5"
    reference = Reference(write_random(file, request.param), request.param)
    converted = convert(file, file.parent)
    file.unlink()
    model, depth = load_matterport(converted)
    assert depth == request.param
    model.speed_up(torch.float32)
    yield model, reference
    converted.unlink()


def test_every_step_is_the_references(pair: tuple[MaskRcnn, Reference]) -> None:
    model, reference = pair
    picture = np.random.default_rng(1).normal(0, 1, (SIDE, SIDE, 3))
    wanted_levels = reference.pyramid(picture)
    with torch.inference_mode():
        levels = model.features(torch.from_numpy(picture).permute(2, 0, 1)[None].float())
        for found, wanted in zip(levels, wanted_levels, strict=True):
            assert _difference(found[0].permute(1, 2, 0).numpy(), wanted) < 1e-4

        boxes = model.proposals(levels, SIDE)
        wanted_boxes = reference.proposals(wanted_levels, SIDE)
        # Rounding may swap boxes whose scores agree to six digits; the set of boxes is the same.
        apart = np.abs(boxes.numpy()[:, None] - wanted_boxes).max(-1)
        assert len(boxes) == len(wanted_boxes)
        assert (apart.min(1) < 1e-3).mean() > 0.995
        assert np.median(np.abs(apart.argmin(1) - np.arange(len(boxes)))) == 0

        # From here on, both get the same boxes.
        shared = wanted_boxes[:60]
        window = torch.tensor(WINDOW, dtype=torch.float32)
        detections = model.detect(levels, torch.from_numpy(shared).float(), SIDE, window, 0.05)
        wanted_detections = reference.detect(wanted_levels, shared, SIDE, WINDOW, 0.05)
        assert len(wanted_detections) >= 5
        assert detections.classes.tolist() == [number for _, number, _ in wanted_detections]
        assert np.allclose(detections.scores.numpy(), [score for score, _, _ in wanted_detections], atol=1e-3)
        assert np.allclose(detections.boxes.numpy(), [box for _, _, box in wanted_detections], atol=1e-3)

        some = Detections(detections.boxes[:3], detections.classes[:3], detections.scores[:3])
        masks = model.masks(levels, some, SIDE)
    assert np.abs(masks.numpy() - reference.masks(wanted_levels, wanted_detections[:3], SIDE)).max() < 2e-3


@pytest.mark.parametrize("pair", [101], indirect=True)
def test_every_step_is_that_of_matterports_own_code(pair: tuple[MaskRcnn, Reference]) -> None:
    """The outputs were written by `matterport_original.py`."""
    model, original = pair[0], np.load(OUTPUT)
    with torch.inference_mode():
        levels = model.features(torch.from_numpy(original["molded"]).permute(2, 0, 1)[None])
        for level, name in zip(levels, LEVELS, strict=True):
            values = level[0].permute(1, 2, 0).numpy()
            assert _difference(values[:: len(values) // 2, :: len(values) // 2], original[name]) < 1e-5
        proposals = model.proposals(levels, SIDE).numpy()
        wanted = original["rois"][original["rois"].any(axis=1)]
        nearest = np.abs(proposals[:, None] - wanted).max(-1).min(1)
        assert (nearest < 1e-4).mean() > 0.995
        top, left, bottom, right = original["windows"]
        window = torch.tensor([top, left, bottom - 1, right - 1], dtype=torch.float32) / (SIDE - 1)
        detections = model.detect(levels, torch.from_numpy(original["rois"]), SIDE, window, 0.05)
        rows = torch.cat([detections.boxes, detections.classes[:, None], detections.scores[:, None]], 1).numpy()
        # Equal scores come in any order; rounding may decide otherwise about boxes that overlap by just the most allowed.
        assert (np.abs(rows[:, None] - original["found"]).max(-1).min(0) < 1e-4).mean() >= 0.98
        assert len(rows) == len(original["found"]) == 100
        found = torch.from_numpy(original["found"][:KEPT])
        masks = model.masks(levels, Detections(found[:, :4], found[:, 4].long(), found[:, 5]), SIDE).numpy()
    assert np.abs(masks - original["masks"]).max() < 2e-3


def _difference(
    found: np.ndarray[tuple[int, ...], np.dtype[np.float32]], wanted: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def test_the_engine_runs_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mask_rcnn_coco.h5"
    write_random(file, 50)
    engine = load_mask_rcnn(convert(file, tmp_path), Device("cpu", bfloat16=False))
    assert engine.name == "mask_rcnn_r50_matterport"
    picture = np.random.default_rng(0).integers(0, 255, (301, 203, 3), np.uint8)
    for found in engine.detect(picture, DetectionQuery(frozenset(), 0.05, 5)):
        assert found.mask.shape == (301, 203)
        assert 0 <= found.box.left < found.box.right <= 203
        assert 0 <= found.box.top < found.box.bottom <= 301


@pytest.mark.parametrize(
    ("size", "where"),
    [
        ((1024, 1024), (0, 0, 1024, 1024)),
        ((2048, 1024), (0, 256, 1024, 768)),
        ((400, 400), (112, 112, 912, 912)),
        ((500, 750), (170, 0, 853, 1024)),
    ],
)
def test_a_picture_is_scaled_into_the_middle_of_the_square(size: tuple[int, int], where: tuple[int, ...]) -> None:
    square, found = molded(np.full((*size, 3), 200, np.uint8))
    assert found == where
    top, left, bottom, right = found
    assert np.allclose(square[top:bottom, left:right], 200 - np.array([123.7, 116.8, 103.9]), atol=1e-3)


def _cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _no_checkpoint(file: Path) -> None:
    file.write_bytes(b"<html>not found</html>")


def _of_something_else(file: Path) -> None:
    with h5py.File(file, "w") as other:
        other["dense/dense/kernel:0"] = np.zeros((2, 2))


def _huge(file: Path) -> None:
    with h5py.File(file, "w") as other:
        other.create_dataset("conv1/conv1/kernel:0", (1 << 33,), np.float32, chunks=True)


def _elsewhere(file: Path) -> None:
    with h5py.File(file, "w") as other:
        other.create_dataset("conv1/conv1/kernel:0", (4,), np.float32, external=[("/etc/passwd", 0, 16)])


def _one_layer_less(file: Path) -> None:
    with h5py.File(file, "a") as checkpoint:
        del checkpoint["mrcnn_mask"]


def _one_layer_more(file: Path) -> None:
    with h5py.File(file, "a") as checkpoint:
        checkpoint["extra/extra/kernel:0"] = np.zeros((2, 2))


def _other_classes(file: Path) -> None:
    with h5py.File(file, "a") as checkpoint:
        del checkpoint["mrcnn_class_logits/mrcnn_class_logits/kernel:0"]
        checkpoint["mrcnn_class_logits/mrcnn_class_logits/kernel:0"] = np.zeros((1024, 3))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    """Yield the bytes of a valid checkpoint."""
    file = tmp_path_factory.mktemp("matterport") / "mask_rcnn_random.h5"
    write_random(file, 50)
    yield file.read_bytes()
    file.unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut_short, "cannot be read"),
        (_no_checkpoint, "cannot be read"),
        (_of_something_else, "has no layer conv1"),
        (_huge, "not stored in the file itself"),
        (_elsewhere, "not stored in the file itself"),
        (_one_layer_less, r"lacks mask_head\.masks"),
        (_one_layer_more, r"has unknown extra\.weight"),
        (_other_classes, r"has other shapes of box_head\.logits\.weight"),
    ],
)
def test_a_wrong_file_is_told_in_one_line(
    tmp_path: Path, whole: bytes, spoil: Callable[[Path], None], told: str
) -> None:
    file = tmp_path / "mask_rcnn_coco.h5"
    file.write_bytes(whole)
    spoil(file)
    with pytest.raises((ConvertError, ValueError), match=told) as error:
        load_mask_rcnn(convert(file, tmp_path), EXACT)
    assert str(tmp_path / file.stem) in str(error.value)
    assert "\n" not in str(error.value)
