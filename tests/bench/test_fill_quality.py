from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.fill_quality import Seen, cases, hole_beside, measure, score
from services.inpainting.engines.telea import Telea
from testing.pictures import ball

pytestmark = pytest.mark.slow

PHOTO, PRODUCT = ball(300, 200)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


def test_a_hole_lies_beside_the_product() -> None:
    hole = hole_beside(PRODUCT, PRODUCT, seed=0)
    assert hole is not None
    assert not (hole & PRODUCT).any()
    assert hole.any(axis=0).sum() == pytest.approx(90, abs=2)
    other = hole_beside(PRODUCT, PRODUCT, seed=1)
    assert other is not None
    assert not np.array_equal(hole, other)


def test_there_may_be_no_room() -> None:
    assert hole_beside(np.ones((200, 300), np.bool_), PRODUCT, seed=0) is None


def test_what_was_there_scores_best(seen: Seen) -> None:
    noise = np.random.default_rng(0).integers(0, 256, PHOTO.shape, dtype=np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    perfect, worse = (score(filled, noise, PRODUCT, seen, 0) for filled in (noise, blurred))
    assert perfect.ssim == pytest.approx(1)
    assert perfect.sharpness == pytest.approx(1)
    assert perfect.perceptual == pytest.approx(0, abs=1e-3)
    assert perfect.psnr > 70
    assert worse.psnr < 20
    assert worse.sharpness < 0.3
    assert worse.ssim < 0.7
    assert worse.perceptual > 0.01


def test_every_picture_is_filled_by_every_engine(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for stem in ("a", "b"):
        cv2.imwrite(str(tmp_path / "images" / f"{stem}.jpg"), PHOTO)
        cv2.imwrite(str(tmp_path / "masks" / f"{stem}.png"), PRODUCT.astype(np.uint8) * 255)
    assert len(list(cases(tmp_path, 1))) == 2
    scores = measure(tmp_path, 1, tmp_path / "out", [Telea()])
    assert len(scores["opencv"]) == 2
    assert (tmp_path / "out" / "a.jpg").stat().st_size > 0
