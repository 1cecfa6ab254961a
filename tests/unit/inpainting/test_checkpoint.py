"""The three variants of DeepFill v2 checkpoints: distinguished, complete, and strict."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from services.inpainting.engines.deepfill.checkpoint import FUSE_WEIGHT, key_in_file, load_deepfill
from services.inpainting.engines.deepfill.variant import CONVERTED, PYTORCH, TENSORFLOW, Variant
from tests.unit.inpainting.bundle_writer import crc32c, write_bundle
from tests.unit.inpainting.deepfill_weights import generator_with, random_weights, state_of, tensors
from tests.unit.inpainting.tensorflow.seeded import seeded
from weights.convert import ConvertError, convert
from weights.tensor_bundle import read_bundle

BY_TENSORFLOW = Path(__file__).parent / "tensorflow"


def write_pth(path: Path, tensors: Mapping[str, Any]) -> Path:
    torch.save({"G": dict(tensors)}, path)
    return path


def write_tensorflow(path: Path, *, extra: Mapping[str, Any] | None = None, leave_out: str = "") -> Path:
    kernels = {key: value.numpy() for key, value in state_of(TENSORFLOW).items() if key != leave_out}
    layout = {key: value.transpose(2, 3, 1, 0) if value.ndim == 4 else value for key, value in kernels.items()}
    write_bundle(path, layout | dict(extra or {}))
    return convert(path, path.parent)


def write(variant: Variant, folder: Path) -> Path:
    if variant is TENSORFLOW:
        return write_tensorflow(folder / "snap-0.index")
    return write_pth(folder / "states.pth", state_of(variant))


@pytest.mark.parametrize(("variant", "count"), [(PYTORCH, 85), (CONVERTED, 84), (TENSORFLOW, 84)])
def test_each_kind_is_told_by_its_keys_and_read_whole(variant: Variant, count: int, tmp_path: Path) -> None:
    assert len(state_of(variant)) == count
    generator = load_deepfill(write(variant, tmp_path))
    assert generator.variant is variant
    assert not generator.training
    held = generator.state_dict()
    assert list(held) == list(tensors())
    assert all(torch.equal(held[key], tensor) for key, tensor in tensors().items())


@pytest.mark.parametrize(
    ("key", "variant", "name"),
    [
        ("coarse.conv1.weight", PYTORCH, "stage1.conv1.conv.weight"),
        ("coarse.conv13_upsample.bias", PYTORCH, "stage1.up_block1.conv1_upsample.conv.conv.bias"),
        ("attention_branch.pmconv6.weight", PYTORCH, "stage2.ca_conv_bn1.conv.weight"),
        ("merged.allconv17.bias", PYTORCH, "stage2.conv_to_rgb.conv.bias"),
        ("coarse.conv1.weight", CONVERTED, "conv1.conv.weight"),
        ("coarse.conv13_upsample.weight", CONVERTED, "conv13_upsample.conv.conv.weight"),
        ("coarse.conv1.weight", TENSORFLOW, "inpaint_net/conv1/kernel"),
        ("merged.allconv15_upsample.bias", TENSORFLOW, "inpaint_net/allconv15_upsample/allconv15_upsample_conv/bias"),
    ],
)
def test_the_published_names(key: str, variant: Variant, name: str) -> None:
    assert key_in_file(key, variant) == name


def test_what_training_left_is_left_out(tmp_path: Path) -> None:
    extra = dict.fromkeys(
        ("discriminator/conv1/kernel", "inpaint_net/conv1/kernel/Adam", "inpaint_net/conv1/bias/Adam_1", "beta1_power"),
        np.ones(3, np.float32),
    )
    generator = load_deepfill(write_tensorflow(tmp_path / "snap-0.index", extra=extra))
    assert torch.equal(generator.state_dict()["coarse.conv1.weight"], tensors()["coarse.conv1.weight"])


def test_a_checkpoint_that_tensorflow_wrote() -> None:
    tensors = read_bundle(BY_TENSORFLOW / "snap-0.index")
    assert len(tensors) == 8
    assert tensors["global_step"] == 1_000_000
    np.testing.assert_array_equal(tensors["discriminator/conv1/bias"], np.arange(5))
    for layer, shape in (("conv17", (3, 12, 3, 3)), ("conv16", (24, 24, 3, 3)), ("allconv17", (3, 12, 3, 3))):
        kernel = tensors[f"inpaint_net/{layer}/kernel"].transpose(3, 2, 0, 1)
        np.testing.assert_array_equal(kernel, seeded(f"{layer}.weight", shape))


def test_the_independent_writer_counts_as_tensorflow_does() -> None:
    assert crc32c(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip_a_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("harm", [cut_short, flip_a_bit, empty, Path.unlink])
@pytest.mark.parametrize("file", ["snap-0.index", "snap-0.data-00000-of-00001"])
def test_harm_to_a_tensorflow_checkpoint_is_seen(harm: Callable[[Path], None], file: str, tmp_path: Path) -> None:
    for name in ("snap-0.index", "snap-0.data-00000-of-00001"):
        shutil.copy(BY_TENSORFLOW / name, tmp_path)
    harm(tmp_path / file)
    with pytest.raises(ConvertError, match=r"snap-0\.index cannot be read"):
        convert(tmp_path / "snap-0.index", tmp_path)


@pytest.mark.parametrize("harm", [cut_short, empty])
def test_harm_to_a_pth_is_seen(harm: Callable[[Path], None], tmp_path: Path) -> None:
    file = write(PYTORCH, tmp_path)
    harm(file)
    with pytest.raises(ValueError, match=r"states\.pth cannot be read: expected a checkpoint of DeepFill v2"):
        load_deepfill(file)


def test_a_missing_tensor_is_named(tmp_path: Path) -> None:
    file = write_tensorflow(tmp_path / "snap-0.index", leave_out="inpaint_net/pmconv9/bias")
    with pytest.raises(ValueError, match=r"it lacks attended\.pmconv9\.bias"):
        load_deepfill(file)


def test_an_unknown_tensor_is_named(tmp_path: Path) -> None:
    file = write_pth(tmp_path / "states.pth", state_of(CONVERTED) | {"conv99.conv.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"it has unknown conv99\.conv\.weight"):
        load_deepfill(file)


def test_another_shape_is_named(tmp_path: Path) -> None:
    file = write_pth(tmp_path / "states.pth", state_of(CONVERTED) | {"conv3.conv.bias": torch.zeros(95)})
    with pytest.raises(ValueError, match=r"it has other shapes of coarse\.conv3\.bias"):
        load_deepfill(file)


@pytest.mark.parametrize("weight", [None, torch.ones(1, 1, 3, 3)])
def test_scores_are_fused_by_the_identity_only(weight: Tensor | None, tmp_path: Path) -> None:
    held = {key: tensor for key, tensor in state_of(PYTORCH).items() if key != FUSE_WEIGHT}
    file = write_pth(tmp_path / "states.pth", held if weight is None else held | {FUSE_WEIGHT: weight})
    with pytest.raises(ValueError, match="fuse_weight is missing, or no 3x3 identity"):
        load_deepfill(file)


@pytest.mark.parametrize(
    "content", [{"conv1.conv.weight": torch.zeros(1)}, {"G": {"a": torch.zeros(1)}}, [1, 2], {"G": 3}]
)
def test_a_foreign_file_is_named(content: object, tmp_path: Path) -> None:
    file = tmp_path / "states.pth"
    torch.save(content, file)
    with pytest.raises(ValueError, match=r"states\.pth is not a checkpoint of DeepFill v2"):
        load_deepfill(file)


def test_the_loaded_generator_is_the_one_that_was_saved(tmp_path: Path) -> None:
    picture, hole = torch.rand(1, 3, 64, 64) * 2 - 1, torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 20:40] = 1
    with torch.inference_mode():
        loaded = load_deepfill(write(PYTORCH, tmp_path))(picture, hole)
        torch.testing.assert_close(loaded, generator_with(random_weights(), PYTORCH)(picture, hole))
