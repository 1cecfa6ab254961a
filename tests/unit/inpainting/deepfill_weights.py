"""Seeded weights of DeepFill v2, by the names of its layers."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from services.inpainting.deepfill.generator import Generator
from services.inpainting.deepfill.variant import TENSORFLOW, Variant
from tests.unit.inpainting.tensorflow.seeded import seeded

Weights = Mapping[str, NDArray[np.float32]]


def random_weights() -> Weights:
    """Give weights and biases: `conv1.weight` (out, in, height, width), `conv1.bias` (out,), and so on."""
    with torch.device("meta"):
        shapes = {key.split(".", 1)[1]: tuple(value.shape) for key, value in Generator(TENSORFLOW).state_dict().items()}
    return {name: seeded(name, shape) for name, shape in shapes.items()}


def generator_with(weights: Weights, variant: Variant) -> Generator:
    generator = Generator(variant).eval()
    generator.load_state_dict(
        {key: torch.from_numpy(weights[key.split(".", 1)[1]]) for key in generator.state_dict()}, strict=True
    )
    return generator.requires_grad_(requires_grad=False)
