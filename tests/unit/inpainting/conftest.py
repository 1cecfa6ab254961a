"""Folders with DeepFill v2 weights."""

from pathlib import Path

import pytest

from services.inpainting.engines.deepfill.variant import CONVERTED, PYTORCH
from tests.unit.inpainting.deepfill_weights import place


@pytest.fixture(scope="session")
def deepfill_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place(PYTORCH, tmp_path_factory.mktemp("pytorch"))


@pytest.fixture(scope="session")
def converted_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return place(CONVERTED, tmp_path_factory.mktemp("converted"))
