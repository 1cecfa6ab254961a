from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.inpainting.engine import MIGAN_FILE, Inpainter, Mask, choose_inpainter
from services.inpainting.fill import FillOptions, fill
from services.inpainting.opencv import OpenCv
from services.inpainting.settings import InpaintingSettings
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels
from services.runtime.server import StartError
from tests.pictures import gradient, texture

OPTIONS = FillOptions(dilation=0.01, context=1.0)


@pytest.fixture(scope="module", params=["migan", "opencv"])
def engine(request: pytest.FixtureRequest) -> Inpainter:
    return choose_inpainter(InpaintingSettings(engine=request.param))


class Paint:
    """Paints everything one colour: shows exactly which pixels of an engine's answer are used."""

    name = "paint"
    native_size = 64

    def __init__(self) -> None:
        self.seen: list[tuple[Pixels, Mask]] = []

    def fill(self, picture: Pixels, hole: Mask) -> Pixels:
        self.seen.append((picture.copy(), hole.copy()))
        return np.full_like(picture, 99)


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
    assert (filled[mask] == 99).all()
    assert np.array_equal(picture, before), "the caller's picture was changed"


def test_an_engine_leaves_the_rest_byte_for_byte(engine: Inpainter) -> None:
    picture = gradient(200, 150)
    mask = hole_in(200, 150, 60, 40, 120, 90)
    filled = fill(picture, mask, engine, OPTIONS)
    assert np.array_equal(filled[~mask], picture[~mask])
    assert filled.shape == picture.shape
    assert (filled[mask] != picture[mask]).any()


def test_what_stood_there_is_gone(engine: Inpainter) -> None:
    y, x = np.mgrid[:256, :256]
    ground = np.stack([140 + x * 0.2, 150 + y * 0.2, 160 + 0 * x], axis=-1).astype(np.uint8)
    picture = ground.copy()
    picture[100:160, 90:170] = (200, 0, 0)
    filled = fill(picture, hole_in(256, 256, 86, 96, 174, 164), engine, OPTIONS)
    assert np.abs(filled.astype(int) - ground).mean(axis=2)[100:160, 90:170].mean() < 12


def test_a_large_hole_is_filled_at_the_engines_size_and_brought_back() -> None:
    paint = Paint()
    mask = hole_in(1000, 800, 300, 200, 700, 600)
    filled = fill(texture(1000, 800), mask, paint, OPTIONS)
    [(seen, _)] = paint.seen
    assert max(seen.shape[:2]) == 64
    assert (filled[mask] == 99).all()


def test_holes_far_apart_are_filled_apart() -> None:
    paint = Paint()
    mask = hole_in(600, 100, 5, 40, 15, 50) | hole_in(600, 100, 580, 40, 590, 50)
    fill(texture(600, 100), mask, paint, OPTIONS)
    assert len(paint.seen) == 2
    assert all(hole.any() and not hole.all() for _, hole in paint.seen)


def test_the_engine_sees_a_wider_hole_than_is_pasted() -> None:
    paint = Paint()
    mask = hole_in(60, 60, 20, 20, 40, 40)
    fill(texture(60, 60), mask, paint, FillOptions(dilation=0.1, context=1.0))
    assert paint.seen[0][1].sum() > mask.sum()


def test_an_empty_mask_returns_the_picture() -> None:
    picture = texture(20, 20)
    assert fill(picture, np.zeros((20, 20), np.bool_), Paint(), OPTIONS) is picture


def test_a_full_mask_is_refused() -> None:
    with pytest.raises(PreconditionError, match="whole picture"):
        fill(texture(20, 20), np.ones((20, 20), np.bool_), Paint(), OPTIONS)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="20x10, the picture 10x20"):
        fill(texture(10, 20), np.ones((10, 20), np.bool_), Paint(), OPTIONS)


@pytest.mark.parametrize("pixels", [1, 40])
def test_tiny_holes_at_every_border_are_filled(engine: Inpainter, pixels: int) -> None:
    picture = gradient(120, 90)
    mask = np.zeros((90, 120), np.bool_)
    mask[:pixels, 0] = mask[-pixels:, -1] = mask[0, -pixels:] = mask[-1, :pixels] = True
    filled = fill(picture, mask, engine, OPTIONS)
    assert np.array_equal(filled[~mask], picture[~mask])


def test_auto_falls_to_opencv_without_weights(tmp_path: Path) -> None:
    assert choose_inpainter(InpaintingSettings(weights_dir=tmp_path)).name == OpenCv.name


def test_missing_or_damaged_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=MIGAN_FILE):
        choose_inpainter(InpaintingSettings(engine="migan", weights_dir=tmp_path))
    (tmp_path / MIGAN_FILE).write_bytes(Path("weights", MIGAN_FILE).read_bytes()[:100_000])
    with pytest.raises(StartError, match=MIGAN_FILE):
        choose_inpainter(InpaintingSettings(weights_dir=tmp_path))
