"""Each reason to look at a cutout is told when there is one, and only then."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from common.imaging.codec import Pixels
from gateway.notes import NOTES
from services.segmentation.cutout import notes
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.cutout.notes import notes_on
from services.segmentation.cutout.product import Found
from services.segmentation.engines.base import Engines
from testing.pictures import SAMPLE, decoded, texture

WIDTH, HEIGHT = 900, 700


def drawn(*boxes: tuple[int, int, int, int]) -> tuple[Pixels, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    """A textured picture, and alpha of some boxes in it."""
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    for left, top, right, bottom in boxes:
        alpha[top:bottom, left:right] = 1
    return texture(WIDTH, HEIGHT), alpha


def told(picture: Pixels, alpha: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", **about: float) -> list[str]:
    known = {"score": 0.95, "doubtful": 0.0} | about
    return list(notes_on(picture, alpha, Found(alpha > 0.5, known["score"], known["doubtful"])))


WHOLE = (200, 100, 700, 600)


def test_of_a_good_cutout_nothing_is_told() -> None:
    assert told(*drawn(WHOLE)) == []


@pytest.mark.parametrize(
    ("boxes", "reasons"),
    [
        ([(100, 100, 400, 600), (500, 100, 800, 600)], ["SEVERAL_PRODUCTS"]),
        ([WHOLE, (20, 20, 60, 60)], []),
        ([(200, 100, 700, HEIGHT)], ["CUT_BY_FRAME"]),
        ([(0, 100, 500, 600)], ["CUT_BY_FRAME"]),
        ([(400, 300, 560, 460)], ["SMALL"]),
        ([(0, 300, 150, 460), (300, 300, 450, 460)], ["SEVERAL_PRODUCTS", "CUT_BY_FRAME"]),
    ],
)
def test_what_is_wrong_is_told(boxes: list[tuple[int, int, int, int]], reasons: list[str]) -> None:
    assert told(*drawn(*boxes)) == reasons


def test_what_the_search_doubts_is_told() -> None:
    assert told(*drawn(WHOLE), score=0.4, doubtful=0.2) == ["GROUND_INSIDE", "UNSURE"]


def test_glass_is_told_and_what_is_seen_through_it_is_not_doubted() -> None:
    picture, alpha = drawn(WHOLE)
    assert list(notes_on(picture, alpha, Found(alpha > 0.5, 0.95, 0.2), is_glass=True)) == ["GLASS"]


def test_a_blurred_product_is_told() -> None:
    sample = decoded(SAMPLE.read_bytes())[:HEIGHT, :WIDTH]
    alpha = drawn(WHOLE)[1]
    assert told(sample, alpha) == []
    assert told(np.asarray(cv2.GaussianBlur(sample, (0, 0), 6), np.uint8), alpha) == ["BLURRED"]


def test_an_empty_alpha_has_no_notes() -> None:
    assert told(*drawn()) == []


def test_the_sample_has_no_notes(engines: Engines) -> None:
    assert list(cut_out(decoded(SAMPLE.read_bytes()), None, engines).notes) == []


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    reasons = set(re.findall(r'yield "(\w+)"', Path(notes.__file__).read_text()))
    assert reasons == NOTES.keys()
    for sentences in NOTES.values():
        assert sentences["en"].endswith(".")
        assert sentences["zh"].endswith("。")
