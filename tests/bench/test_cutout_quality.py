from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.cutout_quality import Method, measure
from bench.scores import score
from testing.pictures import ball

PHOTO, TRUE = ball(200, 150)
TRUTH = TRUE.astype(np.float32)


def test_a_perfect_alpha_scores_perfectly() -> None:
    scores = score(TRUTH, TRUTH, 1.0)
    assert (scores.iou, scores.mae, scores.boundary_f, scores.seconds) == (1.0, 0.0, 1.0, 1.0)


def test_an_inverted_alpha_scores_nothing() -> None:
    scores = score(1 - TRUTH, TRUTH, 0.0)
    assert (scores.iou, scores.mae) == (0.0, 1.0)
    assert score(np.zeros_like(TRUTH), TRUTH, 0.0).boundary_f == 0.0


def test_half_the_product_scores_half() -> None:
    half = TRUTH.copy()
    half[:, :100] = 0
    scores = score(half, TRUTH, 0.0)
    assert scores.iou == pytest.approx(0.5, abs=0.02)
    assert scores.mae == pytest.approx(TRUTH.mean() / 2, abs=0.005)
    assert 0.5 < scores.boundary_f < 0.9


def test_every_picture_is_measured_and_the_worst_are_written(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for stem in ("a", "b", "c"):
        cv2.imwrite(str(tmp_path / "images" / f"{stem}.jpg"), cv2.cvtColor(PHOTO, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(tmp_path / "masks" / f"{stem}.png"), TRUE.astype(np.uint8) * 255)
    methods: dict[str, Method] = {"true": lambda _: TRUTH, "nothing": lambda _: np.zeros_like(TRUTH)}
    scores = measure(tmp_path, methods, every=2, worst_folder=tmp_path / "worst")
    assert {name: [one.iou for one in found] for name, found in scores.items()} == {"true": [1, 1], "nothing": [0, 0]}
    assert sorted(file.name for file in (tmp_path / "worst").iterdir()) == ["1.000_a.jpg", "1.000_c.jpg"]
