"""The worst pictures that are allowed, four at a time, against the memory limits of the manifests (`make test-memory`)."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from testing.system import FORM, started
from tests.deploy.test_memory import TAKEN, limit_mb

SIDE = 7000
"""Side of a picture of 49 million pixels, in pixels."""


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
        list(pool.map(lambda upload: accepted(system.generate_on(worst, upload, **one_ad)), uploads))
        peaks = {name: peak_mb(pid) for name, pid in system.pids.items()}
    for process in ("gateway", "history", *TAKEN):
        assert peaks[process] < limit_mb(process), peaks


def accepted(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code == 200, answer.text
    return answer


def peak_mb(pid: int) -> int:
    """Return the most memory that a process ever held."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))[0]) >> 10
