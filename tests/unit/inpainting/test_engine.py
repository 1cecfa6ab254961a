"""Which engine is selected, and what is reported at start."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from common.errors import StartError
from common.models.device import Device
from common.serving.engines import EngineRegistry
from services.inpainting.engines.deepfill.deepfill_engine import DeepFill
from services.inpainting.engines.deepfill.variant import PYTORCH
from services.inpainting.engines.registry import MIGAN_FILE, load_engine
from services.inpainting.settings import InpaintingSettings
from testing.pictures import gradient
from tests.unit.inpainting.deepfill_weights import generator_with, random_weights
from weights.convert import convert

MIGAN = Path("weights", MIGAN_FILE)


def test_auto_takes_the_best_that_is_placed(tmp_path: Path, deepfill_weights: Path) -> None:
    def chosen() -> str:
        return load_engine(InpaintingSettings(weights_dir=tmp_path), EngineRegistry()).name

    assert chosen() == "opencv"
    shutil.copy(MIGAN, tmp_path)
    assert chosen() == "migan"
    shutil.copy(deepfill_weights / "states_pt_places2.pth", tmp_path)
    assert chosen() == "deepfill_pytorch"


def test_a_tensorflow_checkpoint_is_found_once_converted(tmp_path: Path) -> None:
    for file in (Path(__file__).parent / "tensorflow").glob("snap-0.*"):
        shutil.copy(file, tmp_path)
    named = InpaintingSettings(engine="deepfill", weights_dir=tmp_path)
    with pytest.raises(StartError, match=r"python -m weights convert .*snap-0\.index"):
        load_engine(named, EngineRegistry())
    convert(tmp_path / "snap-0.index", tmp_path)
    with pytest.raises(StartError, match=r"deepfill_tensorflow\.safetensors is not a checkpoint of DeepFill v2"):
        load_engine(named, EngineRegistry())


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=MIGAN_FILE):
        load_engine(InpaintingSettings(engine="migan", weights_dir=tmp_path), EngineRegistry())
    with pytest.raises(StartError, match=r"needs .*states_\*\.pth or .*deepfill\*\.safetensors: put the weights there"):
        load_engine(InpaintingSettings(engine="deepfill", weights_dir=tmp_path), EngineRegistry())


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / MIGAN_FILE).write_bytes(MIGAN.read_bytes()[:100_000])
    with pytest.raises(StartError, match=MIGAN_FILE):
        load_engine(InpaintingSettings(weights_dir=tmp_path), EngineRegistry())
    (tmp_path / "states_tf_places2.pth").write_bytes(b"PK not a zip")
    with pytest.raises(
        StartError, match=r"states_tf_places2\.pth cannot be read: expected a checkpoint of DeepFill v2"
    ):
        load_engine(InpaintingSettings(weights_dir=tmp_path), EngineRegistry())


def test_the_licence_and_the_hash_are_said_at_start(deepfill_weights: Path) -> None:
    with capture_logs() as logs:
        load_engine(InpaintingSettings(weights_dir=deepfill_weights), EngineRegistry())
    [notice] = [entry["notice"] for entry in logs if entry["event"] == "licence"]
    assert "CC BY-NC 4.0" in notice
    [weights] = [entry for entry in logs if entry["event"] == "weights"]
    assert len(weights["sha256"]) == 64


@pytest.mark.slow
def test_converted_weights_get_the_order_of_colours_that_is_set(converted_weights: Path) -> None:
    picture, hole = gradient(64, 64)[None], np.zeros((1, 64, 64), np.bool_)
    hole[:, 20:40, 20:40] = True
    filled = {}
    for order in ("rgb", "bgr"):
        settings = InpaintingSettings(weights_dir=converted_weights, deepfill_channels=order, precision="float32")
        engine = load_engine(settings, EngineRegistry())
        filled[order] = engine.fill(picture, hole)
        turned = engine.fill(np.ascontiguousarray(picture[..., ::-1]), hole)[..., ::-1]
        assert not np.array_equal(filled[order], turned), "the order of colours does not matter to these weights"
    as_bgr = load_engine(
        InpaintingSettings(weights_dir=converted_weights, deepfill_channels="bgr", precision="float32"),
        EngineRegistry(),
    ).fill(np.ascontiguousarray(picture[..., ::-1]), hole)
    assert np.array_equal(as_bgr[..., ::-1], filled["rgb"])


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 91), (8, 100), (1, 5)])
def test_any_size_comes_back_as_it_was(height: int, width: int) -> None:
    engine = DeepFill(generator_with(random_weights(), PYTORCH), "rgb", Device("cpu", bfloat16=False))
    pictures, holes = np.stack([gradient(width, height)] * 2), np.zeros((2, height, width), np.bool_)
    holes[0, : height // 2 + 1, : width // 3] = True
    filled = engine.fill(pictures, holes)
    assert filled.shape == pictures.shape
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~holes], pictures[~holes])
