"""Reading matterport's checkpoints (Keras weights in HDF5), strictly: every tensor accounted for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.runtime.checkpoint import put_into
from services.segmentation.mask_rcnn.matterport import BLOCKS, MaskRcnn

EXPECTED = "a checkpoint of matterport's Mask R-CNN (ResNet-50 or -101, 81 classes)"
LAST_BLOCK_OF_101 = "res4w_branch2a"
FIRST_LAYER = "conv1"
PARTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
"""Keras's names of a layer's tensors, and PyTorch's."""
COUNTER = "num_batches_tracked"


def load_matterport(path: Path) -> tuple[MaskRcnn, int]:
    """Load a checkpoint; which ResNet it is of, its layers tell.

    Returns:
        The model, in evaluation mode, and the depth of its ResNet.

    Raises:
        ValueError: The file is no such checkpoint, or is damaged; the text names it and what was expected.
    """
    layers = _read(path)
    if FIRST_LAYER not in layers:
        raise ValueError(f"{path} is not {EXPECTED}: it has no layer {FIRST_LAYER}")
    depth = 101 if LAST_BLOCK_OF_101 in layers else 50
    with torch.device("meta"):
        model = MaskRcnn(depth).eval()
    modules = layer_modules(depth)
    state = {
        f"{modules.get(layer, layer)}.{PARTS.get(part, part)}": _to_torch(part, values)
        for layer, tensors in layers.items()
        for part, values in tensors.items()
    }
    # Counters of training steps, which Keras does not keep.
    state |= {name: torch.tensor(0) for name in model.state_dict() if name.endswith(COUNTER)}
    put_into(model, state, path, EXPECTED)
    return model, depth


def _read(path: Path) -> Mapping[str, Mapping[str, NDArray[np.float32]]]:
    """Give the tensors of each layer. Groups above a layer's own (models in models) do not matter."""
    layers: dict[str, dict[str, NDArray[np.float32]]] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            layer, _, part = name.rpartition("/")
            layers.setdefault(layer.rpartition("/")[2], {})[part.removesuffix(":0")] = np.asarray(item, np.float32)

    try:
        with h5py.File(path, "r") as file:
            file.get("model_weights", file).visititems(keep)
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read: expected {EXPECTED}; it is damaged, cut short or something else, fetch it anew"
        ) from error
    return layers


def _to_torch(part: str, values: NDArray[np.float32]) -> Tensor:
    """Keras: (height, width, in, out), or (height, width, out, in) of a transposed convolution, or (in, out)."""
    if part == "kernel":
        values = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T
    return torch.from_numpy(np.ascontiguousarray(values))


def layer_modules(depth: int) -> dict[str, str]:
    """Give, for each layer of the file, the path of our module."""
    return dict(_layers(depth))


def _layers(depth: int) -> Iterator[tuple[str, str]]:
    yield "conv1", "resnet.conv1.conv"
    yield "bn_conv1", "resnet.conv1.bn"
    for stage, count in zip((2, 3, 4, 5), (3, 4, BLOCKS[depth], 3), strict=True):
        for block in range(count):
            for branch in ("2a", "2b", "2c", *(["1"] if block == 0 else [])):
                keras = f"{stage}{chr(ord('a') + block)}_branch{branch}"
                ours = f"resnet.stages.{stage - 2}.{block}.branch{branch}"
                yield f"res{keras}", f"{ours}.conv"
                yield f"bn{keras}", f"{ours}.bn"
    for level in range(2, 6):
        yield f"fpn_c{level}p{level}", f"pyramid.lateral.{level - 2}"
        yield f"fpn_p{level}", f"pyramid.smooth.{level - 2}"
    yield "rpn_conv_shared", "rpn.shared"
    yield "rpn_class_raw", "rpn.classes"
    yield "rpn_bbox_pred", "rpn.boxes"
    for number in (1, 2):
        yield f"mrcnn_class_conv{number}", f"box_head.conv{number}.conv"
        yield f"mrcnn_class_bn{number}", f"box_head.conv{number}.bn"
    yield "mrcnn_class_logits", "box_head.logits"
    yield "mrcnn_bbox_fc", "box_head.boxes"
    for number in range(1, 5):
        yield f"mrcnn_mask_conv{number}", f"mask_head.convs.{number - 1}.conv"
        yield f"mrcnn_mask_bn{number}", f"mask_head.convs.{number - 1}.bn"
    yield "mrcnn_mask_deconv", "mask_head.deconv"
    yield "mrcnn_mask", "mask_head.masks"
