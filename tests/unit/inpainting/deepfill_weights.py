"""Seeded weights of DeepFill v2, as tests cannot download the real ones."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from services.inpainting.engines.deepfill.checkpoint import FUSE_WEIGHT, key_in_file
from services.inpainting.engines.deepfill.generator import Generator
from services.inpainting.engines.deepfill.variant import PYTORCH, TENSORFLOW, Variant
from tests.unit.inpainting.tensorflow.seeded import seeded

Weights = Mapping[str, NDArray[np.float32]]


@cache
def random_weights() -> Weights:
    """Return weights and biases: `conv1.weight` (out, in, height, width), `conv1.bias` (out,), and so on."""
    with torch.device("meta"):
        shapes = {key.split(".", 1)[1]: tuple(value.shape) for key, value in Generator(TENSORFLOW).state_dict().items()}
    return {name: seeded(name, shape) for name, shape in shapes.items()}


@cache
def tensors() -> dict[str, torch.Tensor]:
    """Return the tensors of every test checkpoint, by our names."""
    names = Generator(TENSORFLOW).state_dict()
    return {key: torch.from_numpy(random_weights()[key.split(".", 1)[1]]) for key in names}


def state_of(variant: Variant) -> dict[str, torch.Tensor]:
    """Return the state dict of a checkpoint variant, by its own names."""
    held = {key_in_file(key, variant): tensor for key, tensor in tensors().items()}
    return held | ({FUSE_WEIGHT: torch.eye(3).view(1, 1, 3, 3)} if variant is PYTORCH else {})


def place(variant: Variant, folder: Path) -> Path:
    """Write a `.pth` of the variant under its published file name; return the folder."""
    name = "states_pt_places2.pth" if variant is PYTORCH else "states_tf_places2.pth"
    torch.save({"G": state_of(variant)}, folder / name)
    return folder


def generator_with(weights: Weights, variant: Variant) -> Generator:
    generator = Generator(variant).eval()
    generator.load_state_dict(
        {key: torch.from_numpy(weights[key.split(".", 1)[1]]) for key in generator.state_dict()}, strict=True
    )
    return generator.requires_grad_(requires_grad=False)
