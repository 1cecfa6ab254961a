"""What shows between bars is opened; labels and letters of the ground's colour are not."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.openings import open_between_bars
from services.segmentation.engines.base import Candidate

SIDE = 480
GROUNDS = ("plain", "slope", "horizon", "grain")


def ground(kind: str) -> Pixels:
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    base = np.full((SIDE, SIDE, 3), (206, 200, 190), np.float32)
    if kind == "slope":
        base *= (0.75 + 0.25 * x + 0.1 * y)[..., None]
    if kind == "horizon":
        base[y > 0.55] = (126, 92, 60)
    if kind == "grain":
        base += cv2.GaussianBlur(np.random.default_rng(3).normal(0, 40, (SIDE, SIDE, 3)), (0, 0), 2).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 1.5, base.shape)
    return np.asarray(np.clip(base + noise, 0, 255), np.uint8)


def held(mask: Mask) -> list[Candidate]:
    """Candidates as Segment Anything gives them for a rack: they hold all that is inside the outline."""
    return [Candidate(mask.astype(np.float32), score) for score in (1.0, 0.99, 0.98)]


def rack() -> tuple[Mask, Mask]:
    """The bars of a rack, and its outline."""
    bars = np.zeros((SIDE, SIDE), np.uint8)
    for x in np.linspace(110, 370, 7).astype(int).tolist():
        cv2.line(bars, (x, 140), (x, 360), 1, 9)
    for y in (140, 250, 360):
        cv2.line(bars, (110, y), (370, y), 1, 9)
    outline = np.zeros_like(bars)
    cv2.rectangle(outline, (106, 136), (374, 364), 1, cv2.FILLED)
    return bars > 0, outline > 0


def painted(picture: Pixels, mask: Mask, colour: tuple[int, int, int]) -> Pixels:
    shading = 0.85 + 0.3 * np.linspace(0, 1, SIDE)[None, :, None]
    return np.where(mask[..., None], np.clip(np.array(colour) * shading, 0, 255), picture).astype(np.uint8)


@pytest.mark.parametrize("kind", GROUNDS)
def test_a_rack_is_opened(kind: str) -> None:
    bars, outline = rack()
    picture = painted(ground(kind), bars, (40, 60, 120))
    opened = open_between_bars(picture, outline, held(outline))
    cells = outline & ~cv2.dilate(bars.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    assert opened.mask[cells].mean() < 0.1
    assert opened.mask[bars & outline].mean() > 0.97
    assert opened.doubtful < 0.05


def basket() -> tuple[Mask, Mask]:
    """The wires of a basket, whose cells are as small as letters, and its outline."""
    wires = np.zeros((SIDE, SIDE), np.uint8)
    for x in range(110, 371, 20):
        cv2.line(wires, (x, 180), (x, 320), 1, 4)
    for y in range(180, 321, 20):
        cv2.line(wires, (110, y), (370, y), 1, 4)
    outline = np.zeros_like(wires)
    cv2.rectangle(outline, (108, 178), (372, 322), 1, cv2.FILLED)
    return wires > 0, outline > 0


@pytest.mark.parametrize("kind", ["plain", "slope", "horizon"])
def test_small_cells_are_opened(kind: str) -> None:
    wires, outline = basket()
    picture = painted(ground(kind), wires, (30, 45, 70))
    opened = open_between_bars(picture, outline, held(outline)).mask
    cells = outline & ~cv2.dilate(wires.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert opened[cells].mean() < 0.1
    assert opened[wires & outline].mean() > 0.97


@pytest.mark.parametrize(("stronger", "wide"), [(8, 26), (10, 20)])
def test_the_last_cells_of_a_lattice_are_opened_with_the_others(stronger: int, wide: int) -> None:
    """They show what nothing outside shows, a glow; too few to be a lattice, they are in one."""
    wires, outline = basket()
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    glow = np.exp(-((x - 240) ** 2 + (y - 250) ** 2) / (2 * wide**2))[..., None] * np.array((0.3, -0.3, -1)) * stronger
    behind = np.clip(ground("plain") + glow, 0, 255).astype(np.uint8)
    opened = open_between_bars(painted(behind, wires, (165, 158, 140)), outline, held(outline)).mask
    cells = outline & ~cv2.dilate(wires.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert opened[cells].mean() < 0.02
    assert opened[wires & outline].mean() > 0.97


def wheel(spokes: int) -> tuple[Mask, Mask]:
    """A tyre with spokes, and its outline."""
    outline = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(outline, (240, 250), 150, 1, cv2.FILLED)
    made = outline.copy()
    cv2.circle(made, (240, 250), 126, 0, cv2.FILLED)
    cv2.circle(made, (240, 250), 14, 1, cv2.FILLED)
    for angle in np.arange(spokes) * 2 * np.pi / max(spokes, 1) + 0.2:
        end = round(240 + 130 * np.cos(angle)), round(250 + 130 * np.sin(angle))
        cv2.line(made, (240, 250), end, 1, 2)
    return made > 0, outline > 0


@pytest.mark.parametrize("kind", ["plain", "slope", "horizon"])
def test_a_wheel_is_opened_and_keeps_its_spokes(kind: str) -> None:
    made, outline = wheel(12)
    picture = painted(ground(kind), made, (35, 35, 40))
    opened = open_between_bars(picture, outline, held(outline)).mask
    cells = outline & ~cv2.dilate(made.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert opened[cells].mean() < 0.1
    assert opened[made].mean() > 0.97


def test_spokes_as_bright_as_the_ground_are_found_in_the_opening() -> None:
    made, outline = wheel(12)
    tyre, _ = wheel(0)
    behind = ground("horizon")
    picture = painted(painted(behind, made, (225, 222, 216)), tyre, (35, 35, 40))
    opened = open_between_bars(picture, outline, held(outline)).mask
    cells = outline & ~cv2.dilate(made.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert opened[cells].mean() < 0.1
    assert opened[made & ~tyre].mean() > 0.6


@pytest.mark.parametrize("kind", GROUNDS)
def test_letters_of_the_grounds_colour_stay(kind: str) -> None:
    box = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(box, (110, 100), (370, 400), 1, cv2.FILLED)
    letters = np.zeros_like(box)
    for row, text in ((180, "SALE"), (260, "ILLI"), (340, "HEMP")):
        cv2.putText(letters, text, (125, row), cv2.FONT_HERSHEY_SIMPLEX, 2.6, 1, 9)
    behind = ground(kind)
    picture = np.where((letters > 0)[..., None], behind, painted(behind, box > 0, (150, 30, 40)))
    assert np.array_equal(open_between_bars(picture, box > 0, held(box > 0)).mask, box > 0)


@pytest.mark.parametrize("kind", GROUNDS)
def test_a_label_of_the_grounds_colour_stays(kind: str) -> None:
    bottle = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(bottle, (170, 60), (310, 430), 1, cv2.FILLED)
    label = np.zeros_like(bottle)
    cv2.rectangle(label, (190, 220), (290, 330), 1, cv2.FILLED)
    behind = ground(kind)
    picture = np.where((label > 0)[..., None], behind, painted(behind, bottle > 0, (30, 90, 60)))
    assert np.array_equal(open_between_bars(picture, bottle > 0, held(bottle > 0)).mask, bottle > 0)


def test_a_label_that_leaves_a_narrow_border_stays() -> None:
    behind = ground("plain")
    box = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(box, (120, 80), (360, 400), 1, cv2.FILLED)
    label = np.zeros_like(box)
    cv2.rectangle(label, (144, 112), (336, 368), 1, cv2.FILLED)
    picture = np.where((label > 0)[..., None], behind, painted(behind, box > 0, (30, 60, 120)))
    assert np.array_equal(open_between_bars(picture, box > 0, held(box > 0)).mask, box > 0)


def test_a_pale_product_on_a_pale_ground_stays() -> None:
    behind = ground("slope")
    vase = np.zeros((SIDE, SIDE), np.uint8)
    cv2.ellipse(vase, (240, 250), (90, 150), 0, 0, 360, 1, cv2.FILLED)
    picture = painted(behind, vase > 0, (208, 203, 195))
    assert open_between_bars(picture, vase > 0, held(vase > 0)).mask.sum() > 0.97 * (vase > 0).sum()


@pytest.mark.parametrize("fill", [0, 1])
def test_nothing_and_everything_are_answered(fill: int) -> None:
    mask: NDArray[np.bool_] = np.full((60, 50), bool(fill))
    picture = np.full((60, 50, 3), 128, np.uint8)
    assert np.array_equal(open_between_bars(picture, mask, []).mask, mask)


def shelf() -> tuple[Mask, Mask]:
    """The boards of a bookcase, with two openings, and its outline."""
    outline = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(outline, (150, 90), (330, 390), 1, cv2.FILLED)
    boards = outline.copy()
    for top, bottom in ((118, 226), (254, 362)):
        cv2.rectangle(boards, (178, top), (302, bottom), 0, cv2.FILLED)
    return boards > 0, outline > 0


def before_several_colours(boards: Mask) -> Pixels:
    """A shelf before a blurred room, of which each opening shows a part that is not seen beside it."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    spot = np.exp(-((x - 0.5) ** 2 / 0.03 + (y - 0.5) ** 2 / 0.2))[..., None]
    room = np.array((150, 160, 168), np.float32) + spot * np.array((26, 21, 18), np.float32)
    noise = np.random.default_rng(1).normal(0, 1.5, room.shape)
    return painted(np.asarray(np.clip(room + noise, 0, 255), np.uint8), boards, (150, 110, 60))


def test_an_opening_that_two_candidates_have_is_open_wholly() -> None:
    boards, outline = shelf()
    candidates = [
        Candidate(mask.astype(np.float32), score) for mask, score in ((outline, 1), (boards, 0.97), (boards, 0.96))
    ]
    opened = open_between_bars(before_several_colours(boards), outline, candidates).mask
    assert opened[outline & ~boards].mean() < 0.02
    assert opened[boards].mean() > 0.98


def test_a_label_that_two_candidates_omit_stays() -> None:
    """Around a label there is more of the product: candidates alone are not believed."""
    outline = np.zeros((SIDE, SIDE), np.uint8)
    cv2.rectangle(outline, (130, 60), (350, 420), 1, cv2.FILLED)
    box = outline.copy()
    cv2.rectangle(box, (190, 180), (290, 300), 0, cv2.FILLED)
    whole, without = outline > 0, box > 0
    picture = painted(ground("plain"), without, (150, 40, 40))
    candidates = [
        Candidate(mask.astype(np.float32), score) for mask, score in ((whole, 1), (without, 0.97), (without, 0.96))
    ]
    assert open_between_bars(picture, whole, candidates).mask[whole & ~without].mean() > 0.98
