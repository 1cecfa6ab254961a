"""Folders of weights, with DeepFill v2 in its kinds: its real ones cannot be fetched, so these are random."""

from pathlib import Path

import pytest
import torch

from services.inpainting.deepfill.checkpoint import FUSE_WEIGHT, key_in_file
from services.inpainting.deepfill.generator import Generator
from services.inpainting.deepfill.variant import CONVERTED, PYTORCH, TENSORFLOW, Variant
from tests.unit.inpainting.deepfill_weights import random_weights

TENSORS = {key: torch.from_numpy(random_weights()[key.split(".", 1)[1]]) for key in Generator(TENSORFLOW).state_dict()}
"""What every checkpoint here holds, by our names."""


def state_of(variant: Variant) -> dict[str, torch.Tensor]:
    """What a checkpoint of the kind holds, by its names."""
    held = {key_in_file(key, variant): tensor for key, tensor in TENSORS.items()}
    return held | ({FUSE_WEIGHT: torch.eye(3).view(1, 1, 3, 3)} if variant is PYTORCH else {})


@pytest.fixture(scope="session")
def deepfill_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pytorch")
    torch.save({"G": state_of(PYTORCH)}, folder / "states_pt_places2.pth")
    return folder


@pytest.fixture(scope="session")
def converted_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    torch.save({"G": state_of(CONVERTED)}, folder / "states_tf_places2.pth")
    return folder
