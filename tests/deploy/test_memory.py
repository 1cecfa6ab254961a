"""The limits of the manifests against the settings they follow from, and against the worst pictures that are allowed."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from PIL import Image

from services.generation.settings import GenerationSettings
from services.inpainting.settings import InpaintingSettings
from services.segmentation.settings import SegmentationSettings
from testing.system import FORM, started

BASE = Path("deploy/k8s/base")
SIDE = 7000
"""Side of a picture of 49 million pixels, in pixels."""
TAKEN = {"segmentation": (1150, 24), "inpainting": (1300, 4), "generation": (350, 38)}
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


@pytest.fixture(scope="module")
def worst(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a picture of the largest size in the smallest file: a disc on a plain ground, with a palette."""
    y, x = np.ogrid[:SIDE, :SIDE]
    disc = ((x - SIDE // 2) ** 2 + (y - SIDE // 2) ** 2 < (SIDE // 4) ** 2).astype(np.uint8)
    picture = Image.fromarray(disc, "P")
    picture.putpalette([225, 225, 228, 180, 40, 30])
    file = tmp_path_factory.mktemp("worst") / "worst.png"
    picture.save(file, optimize=True)
    data = file.read_bytes()
    assert len(data) < 400_000
    return data


def test_the_worst_pictures_four_at_a_time_stay_below_the_limits(worst: bytes, tmp_path: Path) -> None:
    with (
        started(tmp_path, {"GATEWAY_MAX_SHARE": "1", "GATEWAY_REGENERATIONS": "0"}) as system,
        ThreadPoolExecutor(4) as pool,
    ):
        uploads = [one.json() for one in pool.map(lambda _: accepted(system.upload(worst, "worst.png")), range(4))]
        one_ad = {**FORM, "sizes": "300x250"}
        list(pool.map(lambda upload: accepted(system.generate_on(worst, upload, **one_ad)), uploads[:2]))
        peaks = {name: peak_mb(pid) for name, pid in system.pids.items()}
    for process in ("gateway", "history", *SETTINGS):
        assert peaks[process] < limit_mb(process), peaks


def accepted(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    return answer


def peak_mb(pid: int) -> int:
    """Return the most memory that a process ever held."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))[0]) >> 10
