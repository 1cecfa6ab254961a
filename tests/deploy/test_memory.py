"""The memory limits of the manifests against the settings they follow from."""

import re
from pathlib import Path

import pytest
import yaml

from services.generation.settings import GenerationSettings
from services.inpainting.settings import InpaintingSettings
from services.segmentation.settings import SegmentationSettings

BASE = Path("deploy/k8s/base")
TAKEN = {"segmentation": (1150, 24), "inpainting": (1300, 4), "generation": (1000, 38)}
"""What a process takes: MB with its models and ordinary pictures, and bytes for each further pixel in flight."""
SETTINGS = {
    "segmentation": SegmentationSettings,
    "inpainting": InpaintingSettings,
    "generation": GenerationSettings,
}
UNITS = {"Mi": 1, "Gi": 1024}


def limit_mb(process: str) -> int:
    """Return the memory limit of a process in its manifest."""
    deployment = next(
        one for one in yaml.safe_load_all((BASE / f"{process}.yaml").read_text()) if one["kind"] == "Deployment"
    )
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", container["resources"]["limits"]["memory"]).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


@pytest.mark.parametrize("process", list(SETTINGS))
def test_a_limit_follows_from_the_settings(process: str) -> None:
    megabytes, bytes_per_pixel = TAKEN[process]
    needed = megabytes + SETTINGS[process]().max_pixels_in_flight * bytes_per_pixel / 2**20
    assert needed <= limit_mb(process) < 1.2 * needed
