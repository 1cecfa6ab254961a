"""Corrections by hand: what they change, and what they leave alone."""

import numpy as np
import pytest

from common.errors import PreconditionError
from common.imaging.codec import Pixels
from services.segmentation.cutout.cutout import Hand, cut_out
from services.segmentation.cutout.edit import Drawn
from services.segmentation.engines.base import Box, Engines, Prompt, PromptPoint
from testing.pictures import ball

RED, BLUE = slice(0, 300), slice(300, 600)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """Two balls side by side, red and blue."""
    left, _ = ball(300, 300, colour=(200, 30, 30))
    right, _ = ball(300, 300, colour=(30, 30, 200))
    return np.hstack([left, right])


def at(x: int, y: int, *, on: bool) -> Prompt:
    return Prompt(points=(PromptPoint(x, y, on_object=on),))


def alpha_of(photo: Pixels, hand: Hand, engines: Engines) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return (cut_out(photo, hand, engines).pixels[..., 3] / 255).astype(np.float32)


def drawn(*squares: tuple[int, int, int, bool]) -> Drawn:
    """Return what a brush did: squares of (left, top, side, whether it adds), in their order."""
    done = np.zeros((300, 600), np.int8)
    for left, top, side, adds in squares:
        done[top : top + side, left : left + side] = 1 if adds else -1
    return done


def test_a_point_adds_and_the_rest_stays(photo: Pixels, engines: Engines) -> None:
    one = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    assert (one[:, RED] > 0.5).sum() > 20_000
    assert not (one[:, BLUE] > 0.5).any()
    both = alpha_of(photo, Hand(at(450, 150, on=True), one), engines)
    assert (both[:, BLUE] > 0.5).sum() > 20_000
    assert np.abs(both[:, RED] - one[:, RED]).max() < 1 / 128, "the same to the last pixel"


def test_a_point_on_a_part_of_the_product_leaves_the_product(photo: Pixels, engines: Engines) -> None:
    both = alpha_of(photo, Hand(Prompt(box=Box(20, 20, 580, 280))), engines)
    again = alpha_of(photo, Hand(at(150, 150, on=True), both), engines)
    assert ((again > 0.5) >= (both > 0.5)).mean() > 0.999


def test_a_point_takes_away_one_of_two(photo: Pixels, engines: Engines) -> None:
    red = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    both = alpha_of(photo, Hand(at(450, 150, on=True), red), engines)
    one = alpha_of(photo, Hand(at(450, 150, on=False), both), engines)
    assert (one[:, BLUE] > 0.5).mean() < 0.002
    assert np.array_equal(one[:, RED], red[:, RED])


def test_a_point_off_the_product_changes_nothing(photo: Pixels, engines: Engines) -> None:
    one = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    assert np.array_equal(alpha_of(photo, Hand(at(450, 150, on=False), one), engines), one)


def test_strokes_draw_what_they_say_in_their_order(photo: Pixels, engines: Engines) -> None:
    one = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    both = alpha_of(photo, Hand(base=one, drawn=drawn((400, 20, 60, True), (430, 20, 60, False))), engines)
    assert (both[30:70, 405:420] > 0.9).all()
    assert (both[30:70, 440:] < 0.1).all()
    assert np.array_equal(both[:, :290], one[:, :290])


def test_a_brush_alone_marks_a_product(photo: Pixels, engines: Engines) -> None:
    alone = alpha_of(photo, Hand(drawn=drawn((400, 100, 80, True))), engines)
    assert (alone[110:170, 410:470] > 0.9).all()
    assert (alone[:, RED] == 0).all()


def test_taking_all_of_it_away_is_refused(photo: Pixels, engines: Engines) -> None:
    one = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    with pytest.raises(PreconditionError) as caught:
        alpha_of(photo, Hand(base=one, drawn=np.full((300, 600), -1, np.int8)), engines)
    assert caught.value.reason == "NOTHING_LEFT"


def test_many_changes_do_not_wear_the_edge(photo: Pixels, engines: Engines) -> None:
    first = present = alpha_of(photo, Hand(at(150, 150, on=True)), engines)
    for number in range(8):
        present = alpha_of(photo, Hand(base=present, drawn=drawn((330 + 30 * number, 10, 12, True))), engines)
    assert np.array_equal(present[:, RED], first[:, RED])
