from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from common.errors import InvalidInputError, PreconditionError
from common.imaging.codec import Mask, Pixels
from common.serving.engines import EngineRegistry
from services.inpainting.engines.base import Inpainter
from services.inpainting.engines.registry import load_engine
from services.inpainting.fill.fill import FillOptions, fill
from services.inpainting.settings import InpaintingSettings
from testing.pictures import gradient, texture

OPTIONS = FillOptions(dilation=0.01, context=1.0, batch_size=3)


@pytest.fixture(scope="module", params=["deepfill", "migan", "opencv"])
def engine(request: pytest.FixtureRequest, deepfill_weights: Path) -> Inpainter:
    folder = deepfill_weights if request.param == "deepfill" else Path("weights")
    return load_engine(InpaintingSettings(engine=request.param, weights_dir=folder), EngineRegistry())


class Paint:
    """Paints everything one colour, which shows exactly which of its pixels are used."""

    name = "paint"

    def __init__(self, largest_hole: int | None = None) -> None:
        self.native_size = 64
        self.largest_hole = largest_hole
        self.batches: list[int] = []
        self.seen: list[tuple[Pixels, Mask]] = []

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        self.batches.append(len(pictures))
        self.seen.extend(zip(pictures, holes, strict=True))
        return np.full_like(pictures, 99)


def on(grey: int, width: int, height: int) -> Pixels:
    """Return a uniform grey picture: no detail to borrow and no colours to spread."""
    return np.full((height, width, 3), grey, np.uint8)


def hole_in(width: int, height: int, left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


@given(data=st.data(), width=st.integers(2, 300), height=st.integers(2, 300))
@settings(max_examples=60, deadline=None)
def test_only_the_hole_changes(data: st.DataObject, width: int, height: int) -> None:
    picture = texture(width, height)
    mask = np.zeros((height, width), np.bool_)
    for _ in range(data.draw(st.integers(0, 4))):
        left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
        mask[top : top + data.draw(st.integers(1, height)), left : left + data.draw(st.integers(1, width))] = True
    if mask.all():
        mask[0, 0] = False
    before = picture.copy()
    filled = fill(picture, mask, Paint(), OPTIONS)
    assert np.array_equal(filled[~mask], before[~mask])
    assert np.array_equal(picture, before), "the caller's picture was changed"
    assert (fill(on(99, width, height), mask, Paint(), OPTIONS) == 99).all(), "some of the hole was not filled"


def test_an_engine_leaves_the_rest_byte_for_byte(engine: Inpainter) -> None:
    picture = gradient(200, 150)
    mask = hole_in(200, 150, 60, 40, 120, 90)
    filled = fill(picture, mask, engine, OPTIONS)
    assert np.array_equal(filled[~mask], picture[~mask])
    assert filled.shape == picture.shape
    assert (filled[mask] != picture[mask]).any()


@pytest.mark.parametrize("name", ["migan", "opencv"])
def test_what_stood_there_is_gone(name: Literal["migan", "opencv"]) -> None:
    engine = load_engine(InpaintingSettings(engine=name), EngineRegistry())
    y, x = np.mgrid[:256, :256]
    ground = np.stack([140 + x * 0.2, 150 + y * 0.2, 160 + 0 * x], axis=-1).astype(np.uint8)
    picture = ground.copy()
    picture[100:160, 90:170] = (200, 0, 0)
    filled = fill(picture, hole_in(256, 256, 86, 96, 174, 164), engine, OPTIONS)
    assert np.abs(filled.astype(int) - ground).mean(axis=2)[100:160, 90:170].mean() < 12


def test_a_large_hole_is_filled_at_the_engines_size_and_brought_back() -> None:
    paint = Paint()
    mask = hole_in(1000, 800, 300, 200, 700, 600)
    filled = fill(on(0, 1000, 800), mask, paint, OPTIONS)
    [(seen, _)] = paint.seen
    assert max(seen.shape[:2]) == 64
    assert (filled[210:590, 310:690] == 99).all()


def test_a_hole_is_never_larger_than_the_engine_was_made_for() -> None:
    paint = Paint(largest_hole=16)
    mask = hole_in(400, 300, 100, 50, 300, 250)
    fill(on(0, 400, 300), mask, paint, FillOptions(dilation=0, context=1.0, batch_size=1))
    [(_, hole)] = paint.seen
    assert 14 <= hole.any(axis=0).sum() <= 18


def test_a_small_hole_is_not_scaled_up() -> None:
    paint = Paint(largest_hole=16)
    fill(on(0, 400, 300), hole_in(400, 300, 100, 50, 104, 54), paint, FillOptions(0, 0.25, 1))
    [(seen, hole)] = paint.seen
    assert hole.sum() <= 25
    assert max(seen.shape[:2]) <= 64


def test_holes_far_apart_are_filled_together_in_batches() -> None:
    paint = Paint()
    mask = np.zeros((400, 900), np.bool_)
    for left in range(50, 900, 120):
        mask[200:206, left : left + 6] = True
    filled = fill(on(0, 900, 400), mask, paint, OPTIONS)
    assert paint.batches == [3, 3, 2]
    assert (filled[mask] > 0).all()
    assert (filled[~mask] == 0).all()


def test_small_holes_are_filled_in_one_piece() -> None:
    paint = Paint()
    paint.native_size = 200
    mask = hole_in(600, 400, 300, 200, 304, 204) | hole_in(600, 400, 320, 215, 324, 219)
    filled = fill(on(0, 600, 400), mask, paint, FillOptions(0, 1.0, 1))
    assert paint.batches == [1]
    assert (filled[mask] > 0).all()


def test_a_piece_moves_rather_than_lose_its_surroundings() -> None:
    paint = Paint()
    fill(on(0, 600, 500), hole_in(600, 500, 0, 0, 20, 20), paint, OPTIONS)
    [(seen, hole)] = paint.seen
    assert seen.shape[0] == seen.shape[1]
    assert hole[:10, :10].all()


def test_hundreds_of_holes() -> None:
    mask = np.zeros((600, 800), np.bool_)
    mask[10::40, 10::40] = True
    mask[11::40, 10::40] = True
    filled = fill(on(50, 800, 600), mask, Paint(), OPTIONS)
    assert mask.sum() == 600
    assert (filled[mask] > 50).all()
    assert (filled[~mask] == 50).all()


def test_the_engine_sees_a_wider_hole_than_is_pasted() -> None:
    paint = Paint()
    mask = hole_in(60, 60, 20, 20, 40, 40)
    fill(texture(60, 60), mask, paint, FillOptions(dilation=0.1, context=1.0, batch_size=1))
    assert paint.seen[0][1].sum() > mask.sum()


def test_surroundings_run_out_into_the_hole() -> None:
    mask = hole_in(60, 60, 20, 20, 40, 40)
    row = fill(on(0, 60, 60), mask, Paint(), OPTIONS)[30, 18:30, 0].astype(int)
    assert row[:2].tolist() == [0, 0]
    assert (np.diff(row) >= 0).all()
    assert 0 < row[2] < 50
    assert row[-1] == 99


class Average:
    """Fills with the mean of the known pixels, as smooth as an upscaled fill."""

    name = "average"
    native_size = 64
    largest_hole = None

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        filled = pictures.copy()
        for picture, hole in zip(filled, holes, strict=True):
            picture[hole] = np.round(picture[~hole].mean(axis=0))
        return filled


def test_a_sharp_photo_gets_no_blurred_patch() -> None:
    grain = np.random.default_rng(0).normal(120, 12, (480, 640, 1))
    photo = np.repeat(np.clip(grain, 0, 255), 3, axis=2).astype(np.uint8)
    mask = hole_in(640, 480, 200, 150, 400, 330)
    filled = fill(photo, mask, Average(), OPTIONS)
    inside = filled[160:320, 210:390].astype(float)
    assert 0.8 < inside.std() / photo.std() < 1.1
    assert abs(inside.mean() - photo.mean()) < 2


def test_a_soft_photo_stays_soft() -> None:
    y, x = np.mgrid[:480, :640]
    photo = np.stack([100 + x / 10, 120 + y / 10, 90 + (x + y) / 20], axis=-1).astype(np.uint8)
    filled = fill(photo, hole_in(640, 480, 200, 150, 400, 330), Average(), OPTIONS)
    inside = filled[160:320, 210:390].astype(float)
    assert np.abs(np.diff(inside, axis=1)).mean() < 1


def test_an_empty_mask_returns_the_picture() -> None:
    picture = texture(20, 20)
    assert fill(picture, np.zeros((20, 20), np.bool_), Paint(), OPTIONS) is picture


def test_a_full_mask_is_rejected() -> None:
    with pytest.raises(PreconditionError, match="whole picture"):
        fill(texture(20, 20), np.ones((20, 20), np.bool_), Paint(), OPTIONS)


def test_a_mask_of_another_size_is_rejected() -> None:
    with pytest.raises(InvalidInputError, match="20x10, the picture 10x20"):
        fill(texture(10, 20), np.ones((10, 20), np.bool_), Paint(), OPTIONS)


@pytest.mark.parametrize("pixels", [1, 40])
def test_tiny_holes_at_every_border_are_filled(engine: Inpainter, pixels: int) -> None:
    picture = gradient(120, 90)
    mask = np.zeros((90, 120), np.bool_)
    mask[:pixels, 0] = mask[-pixels:, -1] = mask[0, -pixels:] = mask[-1, :pixels] = True
    filled = fill(picture, mask, engine, OPTIONS)
    assert np.array_equal(filled[~mask], picture[~mask])
