"""Reading DeepFill v2 checkpoints, strictly: their keys tell the kind, and every tensor is accounted for."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from services.inpainting.deepfill.generator import ATTENTION_MB, Generator
from services.inpainting.deepfill.tensor_bundle import read_bundle
from services.inpainting.deepfill.variant import CONVERTED, PYTORCH, TENSORFLOW, Variant
from services.runtime.checkpoint import load_state, put_into

EXPECTED = "a checkpoint of DeepFill v2 (a .pth that holds its generator under 'G', or TensorFlow's .index and .data)"
GENERATOR = "G"
SCOPE = "inpaint_net"
ONLY_FOR_TRAINING = re.compile(
    r"discriminator/|global_step$|beta[12]_power|.*/Adam(_\d+)?$|.*ExponentialMovingAverage$"
)
FUSE_WEIGHT = "stage2.contextual_attention.fuse_weight"

PYTORCH_NAMES = {
    "conv1": "stage1.conv1",
    "conv2_downsample": "stage1.down_block1.conv1_downsample",
    "conv3": "stage1.down_block1.conv2",
    "conv4_downsample": "stage1.down_block2.conv1_downsample",
    "conv5": "stage1.down_block2.conv2",
    "conv6": "stage1.conv_bn1",
    "conv7_atrous": "stage1.conv_bn2",
    "conv8_atrous": "stage1.conv_bn3",
    "conv9_atrous": "stage1.conv_bn4",
    "conv10_atrous": "stage1.conv_bn5",
    "conv11": "stage1.conv_bn6",
    "conv12": "stage1.conv_bn7",
    "conv13_upsample": "stage1.up_block1.conv1_upsample.conv",
    "conv14": "stage1.up_block1.conv2",
    "conv15_upsample": "stage1.up_block2.conv1_upsample.conv",
    "conv16": "stage1.up_block2.conv2",
    "conv17": "stage1.conv_to_rgb",
    "xconv1": "stage2.conv_conv1",
    "xconv2_downsample": "stage2.conv_down_block1.conv1_downsample",
    "xconv3": "stage2.conv_down_block1.conv2",
    "xconv4_downsample": "stage2.conv_down_block2.conv1_downsample",
    "xconv5": "stage2.conv_down_block2.conv2",
    "xconv6": "stage2.conv_conv_bn1",
    "xconv7_atrous": "stage2.conv_conv_bn2",
    "xconv8_atrous": "stage2.conv_conv_bn3",
    "xconv9_atrous": "stage2.conv_conv_bn4",
    "xconv10_atrous": "stage2.conv_conv_bn5",
    "pmconv1": "stage2.ca_conv1",
    "pmconv2_downsample": "stage2.ca_down_block1.conv1_downsample",
    "pmconv3": "stage2.ca_down_block1.conv2",
    "pmconv4_downsample": "stage2.ca_down_block2.conv1_downsample",
    "pmconv5": "stage2.ca_down_block2.conv2",
    "pmconv6": "stage2.ca_conv_bn1",
    "pmconv9": "stage2.ca_conv_bn4",
    "pmconv10": "stage2.ca_conv_bn5",
    "allconv11": "stage2.conv_bn6",
    "allconv12": "stage2.conv_bn7",
    "allconv13_upsample": "stage2.up_block1.conv1_upsample.conv",
    "allconv14": "stage2.up_block1.conv2",
    "allconv15_upsample": "stage2.up_block2.conv1_upsample.conv",
    "allconv16": "stage2.up_block2.conv2",
    "allconv17": "stage2.conv_to_rgb",
}
"""What the checkpoints trained in PyTorch call the layers."""

State = Mapping[str, Tensor]


def load_deepfill(path: Path, attention_mb: int = ATTENTION_MB) -> Generator:
    """Load a checkpoint.

    Args:
        path: A `.pth`, or the `.index` of a pair.
        attention_mb: What attention's scores may take at one time.

    Returns:
        The generator, in evaluation mode, with the variant that its keys tell.

    Raises:
        ValueError: The file is no such checkpoint, or is damaged; the text names it and what was expected.
    """
    variant, state = _read(path)
    with torch.device("meta"):
        generator = Generator(variant, attention_mb).eval()
    names = {key_in_file(key, variant): key for key in generator.state_dict()}
    put_into(generator, {names.get(key, key): tensor for key, tensor in state.items()}, path, EXPECTED)
    return generator


def _read(path: Path) -> tuple[Variant, State]:
    """Give the tensors by their names in the file, and the variant that these tell."""
    if path.suffix == ".index":
        return TENSORFLOW, _read_tensorflow(path)
    state = load_state(path, EXPECTED, inside=GENERATOR)
    if f"{PYTORCH_NAMES['conv1']}.conv.weight" in state:
        return PYTORCH, _without_fuse_weight(state, path)
    if "conv1.conv.weight" in state:
        return CONVERTED, state
    raise ValueError(f"{path} is not {EXPECTED}: it has no layer conv1")


def key_in_file(key: str, variant: Variant) -> str:
    """Give the name that a tensor of the generator has in a variant's checkpoints."""
    _, layer, part = key.split(".")
    if variant is TENSORFLOW:
        inner = f"/{layer}_conv" if layer.endswith("_upsample") else ""
        return f"{SCOPE}/{layer}{inner}/{'kernel' if part == 'weight' else part}"
    if variant is PYTORCH:
        return f"{PYTORCH_NAMES[layer]}.conv.{part}"
    return f"{layer}.conv.conv.{part}" if layer.endswith("_upsample") else f"{layer}.conv.{part}"


def _without_fuse_weight(state: State, path: Path) -> State:
    """Leave out what is no weight: the identity by which scores are added up."""
    weight = state.get(FUSE_WEIGHT)
    if weight is None or not torch.equal(weight.float().cpu().flatten(), torch.eye(3).flatten()):
        raise ValueError(f"{path} is not {EXPECTED}: its {FUSE_WEIGHT} is missing, or no 3x3 identity")
    return {key: tensor for key, tensor in state.items() if key != FUSE_WEIGHT}


def _read_tensorflow(path: Path) -> State:
    try:
        tensors = read_bundle(path)
    except OSError as error:
        raise ValueError(f"{path} has no data file beside it: expected {error.filename}") from None
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} cannot be read: {error}; expected {EXPECTED}, fetch it anew") from error
    weights = {key: values for key, values in tensors.items() if not ONLY_FOR_TRAINING.match(key)}
    return {key: _to_torch(values) for key, values in weights.items()}


def _to_torch(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
    """Kernels from (height, width, in, out) to (out, in, height, width)."""
    layout = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values
    return torch.from_numpy(np.array(layout, np.float32, order="C"))
