"""Converts weights of other frameworks to safetensors, once, so that services need no reader for them.

    TensorFlow's pair snap-0.index, snap-0.data-00000-of-00001  ->  deepfill_tensorflow.safetensors
    matterport's mask_rcnn_coco.h5 (Keras)                      ->  mask_rcnn_coco.safetensors

Values are not changed: kernels are only transposed to PyTorch's layout.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from weights.matterport import PARTS, layer_modules
from weights.tensor_bundle import read_bundle

Tensors = Mapping[str, NDArray[np.float32]]

DEEPFILL = "deepfill_tensorflow.safetensors"
ONLY_FOR_TRAINING = re.compile(
    r"discriminator/|global_step$|beta[12]_power|.*/Adam(_\d+)?$|.*ExponentialMovingAverage$"
)
LAST_BLOCK_OF_101 = "res4w_branch2a"
FIRST_LAYER = "conv1"


class ConvertError(Exception):
    """A file cannot be converted. The text names it and says why."""


def convert(source: Path, folder: Path) -> Path:
    """Convert a file, and return the path of the result.

    Args:
        source: A `.index` of TensorFlow, with its data file beside it, or an `.h5` of matterport.
        folder: Folder for the result.

    Raises:
        ConvertError: The file is neither, or is damaged.
    """
    if source.suffix not in CONVERTERS:
        raise ConvertError(f"{source} cannot be converted: expected one of {', '.join(CONVERTERS)}")
    read, name = CONVERTERS[source.suffix]
    try:
        tensors = read(source)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ConvertError(
            f"{source} cannot be read: {error}; it is damaged or something else, fetch it again"
        ) from error
    target = folder / (name or f"{source.stem}.safetensors")
    save_file({key: np.ascontiguousarray(values, np.float32) for key, values in tensors.items()}, target)
    return target


def read_tensorflow(index: Path) -> Tensors:
    """Read the generator of DeepFill v2: kernels from (height, width, in, out) to (out, in, height, width)."""
    bundle = {key: values for key, values in read_bundle(index).items() if not ONLY_FOR_TRAINING.match(key)}
    tensors = {key: np.asarray(values, np.float32) for key, values in bundle.items()}
    return {key: values.transpose(3, 2, 0, 1) if values.ndim == 4 else values for key, values in tensors.items()}


def read_matterport(path: Path) -> Tensors:
    """Read Mask R-CNN; the names become those of our modules, and its layers tell which ResNet it has."""
    layers = _read_layers(path)
    if FIRST_LAYER not in layers:
        raise ValueError(f"it has no layer {FIRST_LAYER}")
    modules = layer_modules(101 if LAST_BLOCK_OF_101 in layers else 50)
    return {
        f"{modules.get(layer, layer)}.{PARTS.get(part, part)}": _to_torch_layout(part, values)
        for layer, tensors in layers.items()
        for part, values in tensors.items()
    }


def _read_layers(path: Path) -> Mapping[str, Tensors]:
    """Return the tensors of each layer. Groups above the group of a layer (models within models) are ignored."""
    layers: dict[str, dict[str, NDArray[np.float32]]] = {}
    unread = path.stat().st_size

    def keep(name: str, item: object) -> None:
        nonlocal unread
        if isinstance(item, h5py.Dataset):
            # A small file can declare huge data, or point to other files; Keras stores plain arrays.
            unread -= item.nbytes
            if item.external or item.is_virtual or unread < 0:
                raise ValueError(f"{name} is not stored in the file itself")
            layer, _, part = name.rpartition("/")
            layers.setdefault(layer.rpartition("/")[2], {})[part.removesuffix(":0")] = np.asarray(item, np.float32)

    with h5py.File(path, "r") as file:
        file.get("model_weights", file).visititems(keep)
    return layers


def _to_torch_layout(part: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keras: (height, width, in, out), or (height, width, out, in) of a transposed convolution, or (in, out)."""
    if part != "kernel":
        return values
    return values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T


CONVERTERS: dict[str, tuple[Callable[[Path], Tensors], str]] = {
    ".index": (read_tensorflow, DEEPFILL),
    ".h5": (read_matterport, ""),
}
"""Reader by suffix, and the name of the result; empty: that of the source."""
