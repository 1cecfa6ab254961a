"""Fails as soon as an import trick of `without_torchvision.py` can go."""

import subprocess
import sys
from importlib.metadata import version

import pytest

SAME_BUILD = len({version(name).partition("+")[2] for name in ("torch", "torchvision")}) == 1
"""Whether torchvision is of the build of torch that is installed, as on a machine that reaches PyTorch's own downloads."""


@pytest.mark.parametrize("package", ["torchvision", "segment_anything"])
def test_a_plain_import_fails_beside_another_build_of_torch(package: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"import {package}"], capture_output=True, text=True, check=False)
    if SAME_BUILD:
        assert done.returncode == 0, done.stderr
    else:
        assert "operator torchvision::nms does not exist" in done.stderr


def test_segment_anything_is_used_without_torchvision() -> None:
    code = "import sys, services.segmentation.engines.sam.model; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "segment_anything_modeling" in done.stdout.split()
    assert "torchvision" not in done.stdout.split()
