import cv2
import numpy as np
import pytest

from common.errors import InvalidInputError, PreconditionError
from common.imaging.codec import decode
from common.settings import ImageLimits
from services.segmentation.cutout.cutout import OWN_ALPHA, Hand, cut_out
from services.segmentation.engines.base import Box, Engines, Prompt, PromptPoint
from services.segmentation.engines.grabcut import GrabCut
from testing.pictures import SAMPLE, ball, gradient, texture
from testing.products.drawn import Canvas, photographed, plain, shaded

BALL = ball(480, 360, colour=(30, 60, 160))
"""One photo for most tests: its embedding is made once."""


def iou(
    a: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", b: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]"
) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_the_product_is_cut_out(engines: Engines) -> None:
    photo, truth = BALL
    result = cut_out(photo, None, engines)
    assert result.engine == "mobile_sam"
    assert result.pixels.shape == (360, 480, 4)
    assert iou(result.pixels[..., 3] > 127, truth) > 0.97
    assert result.score > 0.6
    rows, columns = np.nonzero(result.pixels[..., 3])
    assert result.bounds == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


def test_colours_are_the_photos_in_the_right_order(engines: Engines) -> None:
    photo, truth = BALL
    pixels = cut_out(photo, None, engines).pixels
    solid = (pixels[..., 3] == 255) & truth
    assert solid.sum() > 0.8 * truth.sum()
    assert np.array_equal(pixels[solid][:, :3], photo[solid])


def test_the_edge_does_not_keep_the_old_background(engines: Engines) -> None:
    photo, truth = np.asarray(cv2.GaussianBlur(BALL[0], (0, 0), 1.2), np.uint8), BALL[1]
    pixels = cut_out(photo, None, engines).pixels
    soft = (pixels[..., 3] > 60) & (pixels[..., 3] < 200)
    assert soft.any()
    # The ground is nearly white, the ball dark blue: a halo would have a high red value.
    assert pixels[soft][:, 0].mean() < 100
    assert truth.any()


def test_a_hole_stays_a_hole(engines: Engines) -> None:
    photo = decode(SAMPLE.read_bytes(), ImageLimits())
    alpha = cut_out(photo, None, engines).pixels[..., 3]
    assert alpha[230, 600] < 40, "the carrying loop is filled in"
    assert alpha[700, 600] == 255
    assert alpha[100, 100] == 0


@pytest.mark.parametrize("empty", [np.full((300, 400, 3), 255, np.uint8), np.zeros((300, 400, 3), np.uint8)])
def test_nothing_found_is_told_in_words(
    empty: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", engines: Engines
) -> None:
    with pytest.raises(PreconditionError, match="No product stands out") as caught:
        cut_out(empty, None, engines)
    assert caught.value.reason == "NOTHING_FOUND"


def test_real_transparency_is_kept(engines: Engines) -> None:
    photo = np.dstack([gradient(60, 40), np.zeros((40, 60), np.uint8)])
    photo[10:30, 20:50, 3] = 255
    photo[10, 20:50, 3] = 128
    result = cut_out(photo, None, engines)
    assert result.engine == OWN_ALPHA
    assert np.array_equal(result.pixels[..., 3], photo[..., 3])
    assert np.array_equal(result.pixels[10:30, 20:50, :3], photo[10:30, 20:50, :3])
    assert result.bounds == Box(20, 10, 50, 30)


def test_a_stray_soft_pixel_is_no_transparency(engines: Engines) -> None:
    photo, truth = BALL
    alpha = np.full((360, 480), 255, np.uint8)
    alpha[0, 0] = 10
    result = cut_out(np.dstack([photo, alpha]), None, engines)
    assert result.engine == "mobile_sam"
    assert iou(result.pixels[..., 3] > 127, truth) > 0.97


def test_a_wholly_transparent_photo_shows_nothing(engines: Engines) -> None:
    with pytest.raises(PreconditionError):
        cut_out(np.zeros((20, 20, 4), np.uint8), None, engines)


def two_balls() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    left, _ = ball(300, 300, colour=(200, 30, 30))
    right, _ = ball(300, 300, colour=(30, 30, 200))
    return np.hstack([left, right])


def test_a_box_or_a_point_chooses_the_product(engines: Engines) -> None:
    photo = two_balls()
    for prompt in (Prompt(box=Box(330, 30, 590, 270)), Prompt(points=(PromptPoint(450, 150, on_object=True),))):
        bounds = cut_out(photo, Hand(prompt), engines).bounds
        assert bounds.left > 300
        assert bounds.right - bounds.left == pytest.approx(192, abs=12)


def test_a_prompt_outside_is_rejected(engines: Engines) -> None:
    photo, _ = ball(100, 80)
    for prompt in (
        Prompt(box=Box(0, 0, 101, 80)),
        Prompt(box=Box(50, 10, 50, 20)),
        Prompt(points=(PromptPoint(100, 0, on_object=True),)),
    ):
        with pytest.raises(InvalidInputError, match="100x80"):
            cut_out(photo, Hand(prompt), engines)


@pytest.mark.parametrize(("width", "height"), [(33, 500), (16, 16), (1, 1), (3000, 40)])
def test_odd_shapes_are_answered(width: int, height: int, engines: Engines) -> None:
    try:
        result = cut_out(texture(width, height), None, engines)
    except PreconditionError:
        return
    assert result.pixels.shape == (height, width, 4)


def test_the_same_photo_gives_the_same_cutout(engines: Engines) -> None:
    photo, _ = BALL
    assert np.array_equal(cut_out(photo, None, engines).pixels, cut_out(photo, None, engines).pixels)


def test_grabcut_stands_in_without_weights() -> None:
    photo, truth = ball(240, 180)
    result = cut_out(photo, None, Engines(GrabCut(), None))
    assert result.engine == "grabcut"
    assert iou(result.pixels[..., 3] > 127, truth) > 0.9


@pytest.mark.parametrize("width", [0.008, 0.016])
def test_a_strap_of_some_pixels_is_kept_in_a_tiny_photo(width: float, engines: Engines) -> None:
    side = 220
    canvas = Canvas(side).box(0.42, 0.3, 0.66, 0.9).line(0.43, 0.36, 0.33, 0.55, width)
    loop = canvas.line(0.33, 0.55, 0.33, 0.74, width).line(0.33, 0.74, 0.38, 0.78, width)
    outline = loop.line(0.38, 0.78, 0.42, 0.72, width).alpha()
    product = shaded(outline, (150, 130, 125))
    is_strap = np.arange(side) < round(0.415 * side)
    product.colours[:, is_strap] = 30
    found = cut_out(photographed(product, plain(side)), None, engines).pixels[..., 3] > 127
    strap = (outline > 0.5) & is_strap
    assert found[strap].mean() > 0.95
    inside = np.s_[round(0.55 * side) : round(0.7 * side), round(0.36 * side) : round(0.4 * side)]
    assert not found[inside].any()


@pytest.mark.parametrize("size", [(120, 160), (400, 300), (900, 1200)])
def test_grabcut_finds_nothing_on_a_plain_ground(size: tuple[int, int]) -> None:
    with pytest.raises(PreconditionError):
        cut_out(np.full((*size, 3), 240, np.uint8), None, Engines(GrabCut(), None))


def test_grabcut_ends_on_two_plain_colours() -> None:
    halves = np.full((600, 800, 3), 240, np.uint8)
    halves[:, 400:] = (200, 30, 30)
    with pytest.raises(PreconditionError):
        cut_out(halves, None, Engines(GrabCut(), None))
