"""Networks by their files: known ones by checksum, others by a description beside them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from common.errors import StartError
from common.serving.engines import EngineRegistry
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.registry import NET, SAM_FILES, load_engines
from services.segmentation.engines.soft_net import Net, NetFile, SoftNet, find_nets, known_nets
from services.segmentation.settings import SegmentationSettings
from testing.pictures import ball
from tests.unit.segmentation.test_cutout import iou
from weights.manifest import read_manifest

SIDE = 64
DESCRIPTION = """
side = 64
mean = [0.5, 0.5, 0.5]
deviation = [1.0, 1.0, 1.0]
divide_by = "255"
activation = "sigmoid"
output = 1
code = "MIT"
weights = "MIT"
data = "own"
commerce = "yes"
"""
NET_64 = {
    "side": SIDE,
    "mean": (0.5, 0.5, 0.5),
    "deviation": (1.0, 1.0, 1.0),
    "divide_by": "255",
    "activation": "sigmoid",
    "output": 1,
    "code": "",
    "weights": "",
    "data": "",
    "commerce": "yes",
}


def redness(path: Path, gain: float = 20.0) -> Path:
    """Write a network whose second output is the logit of how red each pixel is, and whose first is nothing."""
    weight = np.array([gain, -gain / 2, -gain / 2], np.float32).reshape(1, 3, 1, 1)
    shape = [1, 1, SIDE, SIDE]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["picture", "weight", "bias"], ["mask"]),
            helper.make_node("Sub", ["mask", "mask"], ["nothing"]),
        ],
        "redness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("nothing", "mask")],
        [
            helper.make_tensor("weight", TensorProto.FLOAT, weight.shape, weight.ravel().tolist()),
            helper.make_tensor("bias", TensorProto.FLOAT, [1], [-gain / 8]),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), str(path))
    return path


def settings(folder: Path, **chosen: str) -> SegmentationSettings:
    return SegmentationSettings.model_validate({"weights_dir": folder, **chosen})


def chosen(registry: EngineRegistry) -> str:
    """Return the network that was chosen last."""
    return [choice.engine for choice in registry.choices if choice.capability == "saliency"][-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the default weights and a network that is not known."""
    for name in (SAM_FILES["mobile_sam"], NET):
        (tmp_path / name).symlink_to(Path("weights", name).resolve())
    redness(tmp_path / "ours.onnx")
    return tmp_path


def test_size_normalisation_activation_and_output_are_those_of_the_table(tmp_path: Path) -> None:
    photo, truth = ball(150, 110, colour=(220, 20, 20))
    net = SoftNet.load(NetFile("ours", Net.model_validate(NET_64), redness(tmp_path / "ours.onnx")))
    mask = net.find(photo)
    assert mask.shape == truth.shape
    assert mask.dtype == np.float32
    assert iou(mask > 0.5, truth) > 0.85
    assert 0 <= mask.min() <= mask.max() <= 1
    first = SoftNet.load(NetFile("ours", Net.model_validate(NET_64 | {"output": 0}), tmp_path / "ours.onnx"))
    assert np.allclose(first.find(photo), 0.5), "the sigmoid of nothing"
    plain = SoftNet.load(NetFile("ours", Net.model_validate(NET_64 | {"activation": "none"}), tmp_path / "ours.onnx"))
    assert set(np.unique(plain.find(photo))) >= {0.0, 1.0}, "logits are cut off"


def test_an_empty_picture_is_not_stretched_to_noise(tmp_path: Path) -> None:
    net = SoftNet.load(NetFile("ours", Net.model_validate(NET_64), redness(tmp_path / "ours.onnx")))
    assert np.ptp(net.find(np.full((40, 50, 3), 128, np.uint8))) < 0.01


def test_an_unknown_network_waits_for_its_description(folder: Path) -> None:
    assert [one.name for one in find_nets(folder, frozenset())] == ["u2netp"]
    (folder / "ours.toml").write_text(DESCRIPTION)
    assert [one.name for one in find_nets(folder, frozenset())] == ["ours", "u2netp"]
    registry = EngineRegistry()
    engines = load_engines(settings(folder), registry)
    assert chosen(registry) == "ours"
    photo, truth = ball(300, 220, colour=(220, 20, 20))
    assert iou(cut_out(photo, None, engines).pixels[..., 3] > 127, truth) > 0.97


def test_auto_takes_only_what_may_be_sold_with(folder: Path) -> None:
    (folder / "ours.toml").write_text(DESCRIPTION.replace('commerce = "yes"', 'commerce = "ask"'))
    for net, expected in (("auto", "u2netp"), ("ours", "ours")):
        registry = EngineRegistry()
        load_engines(settings(folder, net=net), registry)
        assert chosen(registry) == expected


@pytest.mark.parametrize(
    ("name", "remedy"), [("birefnet-general", "weights fetch birefnet-general"), ("theirs", "theirs.toml")]
)
def test_a_network_that_is_not_there_is_an_error_that_says_what_to_do(folder: Path, name: str, remedy: str) -> None:
    with pytest.raises(StartError, match=remedy):
        load_engines(settings(folder, net=name), EngineRegistry())


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("side = 64", "code"),
        (DESCRIPTION + "color = 1", "color"),
        (DESCRIPTION.replace("64", "-1"), "side"),
        ("=", "not a TOML file"),
    ],
)
def test_a_wrong_description_is_an_error_that_names_it(folder: Path, wrong: str, problem: str) -> None:
    (folder / "ours.toml").write_text(wrong)
    with pytest.raises(StartError, match=f"ours.toml.*{problem}"):
        load_engines(settings(folder), EngineRegistry())


def test_a_file_is_known_by_what_it_holds_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "renamed.onnx").symlink_to(Path("weights", NET).resolve())
    assert [one.name for one in find_nets(tmp_path, frozenset())] == ["u2netp"]


def test_the_table_names_every_network_that_can_be_fetched() -> None:
    table = known_nets()
    fetched = {name for name, weight in read_manifest().items() if weight.purpose.startswith("cut-out: U2")}
    assert {"u2netp", "u2net"} <= fetched <= table.keys()
    assert next(iter(table)) == "u2net", "the best that may be sold with comes first"
    for name, net in table.items():
        assert net.md5 or net.sha256, name
