"""The rendered products that cut-outs are measured on, and what their scores say."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.scores import score
from services.generation.engines.set import renderer
from testing.products.catalogue import KINDS, photos
from testing.products.render import render


def disc(radius: int, hole: int = 0) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    alpha = np.zeros((200, 260), np.float32)
    cv2.circle(alpha, (130, 100), radius, 1.0, cv2.FILLED)
    if hole:
        cv2.circle(alpha, (130, 100), hole, 0.0, cv2.FILLED)
    return alpha


def test_there_are_eighty_pictures_and_four_of_each_kind() -> None:
    counts = {name: kind.count for name, kind in KINDS.items()}
    assert sum(counts.values()) >= 80
    assert min(counts.values()) >= 4
    assert counts["glass"] >= 10


def test_a_picture_follows_from_its_seed() -> None:
    (one, first), (other, again) = next(photos()), next(photos())
    assert (one, first.ground, first.size, first.pitch) == (other, again.ground, again.size, again.pitch)
    for (mesh, _), (same, _) in zip(first.parts, again.parts, strict=True):
        assert np.array_equal(mesh.vertices, same.vertices)


def test_openings_are_counted_and_whether_they_are_open() -> None:
    ring = disc(80, hole=40)
    assert (score(ring, ring).openings, score(ring, ring).opened) == (1, 1)
    assert (score(disc(80), ring).openings, score(disc(80), ring).opened) == (1, 0)
    assert score(disc(80), disc(80)).openings == 0


def test_a_middle_is_kept_or_not() -> None:
    assert score(disc(80), disc(80)).is_kept
    assert not score(disc(80, hole=20), disc(80)).is_kept


def test_glass_is_judged_by_what_is_seen_through_it() -> None:
    truth, clear = disc(80), disc(80) * np.float32(0.9)
    assert score(disc(80) * np.float32(0.12), truth, clear=clear).is_clear
    assert score(disc(80) * np.float32(0.12), truth, clear=clear).iou == 1.0, "of the silhouette"
    assert score(disc(80), truth, clear=clear).is_clear is False
    assert score(disc(80), truth).is_clear is None


def test_a_worse_edge_scores_worse() -> None:
    good, bad = score(disc(79), disc(80)), score(disc(70), disc(80))
    assert good.mba > bad.mba
    assert good.gradient < bad.gradient
    assert score(disc(80), disc(80)).gradient == 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "openings"), [("frame_0", 1), ("glass_0", 0)])
def test_alpha_is_what_the_product_covers(tmp_path: Path, name: str, openings: int) -> None:
    chosen = renderer.prepare(tmp_path)
    if not chosen.is_fast:
        pytest.skip("products are rendered with libLLVM")
    import mitsuba

    mitsuba.set_variant(chosen.variant)
    rendered = render(next(photo for other, photo in photos() if other == name))
    assert rendered.pixels.shape[:2] == rendered.alpha.shape
    assert 0.02 < rendered.alpha.mean() < 0.7
    assert ((rendered.alpha > 0) & (rendered.alpha < 1)).mean() < 0.05, "all but the edge is certain"
    assert score(rendered.alpha, rendered.alpha).openings == openings
    assert (rendered.clear is not None) == name.startswith("glass")
    if rendered.clear is not None:
        assert rendered.clear[rendered.alpha == 1].mean() > 0.6
