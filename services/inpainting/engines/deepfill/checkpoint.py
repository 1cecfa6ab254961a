"""Loading DeepFill v2 checkpoints: tensor names identify the variant, and every tensor is accounted for."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from common.models.checkpoint import assign_state, load_state
from services.inpainting.engines.deepfill.generator import ATTENTION_MB, Generator
from services.inpainting.engines.deepfill.variant import CONVERTED, PYTORCH, TENSORFLOW, Variant

EXPECTED = "a checkpoint of DeepFill v2 (a .pth that holds its generator under 'G', or a converted .safetensors)"
GENERATOR = "G"
SCOPE = "inpaint_net"
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
"""Layer names in checkpoints trained in PyTorch, by their names in the authors' code."""

State = Mapping[str, Tensor]


def load_deepfill(path: Path, attention_mb: int = ATTENTION_MB) -> Generator:
    """Load a checkpoint.

    Args:
        path: A `.pth`, or a `.safetensors` converted from a TensorFlow checkpoint by `python -m weights convert`.
        attention_mb: Memory for the attention scores, in MiB.

    Returns:
        The generator in evaluation mode, of the variant that the tensor names identify.

    Raises:
        ValueError: The file is not a DeepFill v2 checkpoint, or is damaged; the text names it and what was expected.
    """
    variant, state = _load(path)
    with torch.device("meta"):
        generator = Generator(variant, attention_mb).eval()
    names = {key_in_file(key, variant): key for key in generator.state_dict()}
    assign_state(generator, {names.get(key, key): tensor for key, tensor in state.items()}, path, EXPECTED)
    return generator


def _load(path: Path) -> tuple[Variant, State]:
    """Return the variant, identified by the tensor names, and the tensors by their names in the file."""
    inside = None if path.suffix == ".safetensors" else GENERATOR
    state = load_state(path, EXPECTED, inside)
    if f"{SCOPE}/conv1/kernel" in state:
        return TENSORFLOW, state
    if f"{PYTORCH_NAMES['conv1']}.conv.weight" in state:
        return PYTORCH, _without_fuse_weight(state, path)
    if "conv1.conv.weight" in state:
        return CONVERTED, state
    raise ValueError(f"{path} is not {EXPECTED}: it has no layer conv1")


def key_in_file(key: str, variant: Variant) -> str:
    """Return the name of a generator tensor in checkpoints of a variant."""
    _, layer, part = key.split(".")
    if variant is TENSORFLOW:
        inner = f"/{layer}_conv" if layer.endswith("_upsample") else ""
        return f"{SCOPE}/{layer}{inner}/{'kernel' if part == 'weight' else part}"
    if variant is PYTORCH:
        return f"{PYTORCH_NAMES[layer]}.conv.{part}"
    return f"{layer}.conv.conv.{part}" if layer.endswith("_upsample") else f"{layer}.conv.{part}"


def _without_fuse_weight(state: State, path: Path) -> State:
    """Drop the identity kernel that sums attention scores: it is not a trained weight."""
    weight = state.get(FUSE_WEIGHT)
    if weight is None or not torch.equal(weight.float().cpu().flatten(), torch.eye(3).flatten()):
        raise ValueError(f"{path} is not {EXPECTED}: its {FUSE_WEIGHT} is missing, or no 3x3 identity")
    return {key: tensor for key, tensor in state.items() if key != FUSE_WEIGHT}
