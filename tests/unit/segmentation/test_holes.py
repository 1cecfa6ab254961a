"""Which holes of a mask are opened."""

import numpy as np
import pytest

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.holes import keep_middles, open_holes
from services.segmentation.engines.base import Candidate
from testing.products.drawn import bottle, mug, photographed, photographic, plain, ring

SIDE = 300


def candidate(mask: Mask, score: float) -> Candidate:
    return Candidate(mask.astype(np.float32), score)


@pytest.fixture
def with_hole() -> Mask:
    return np.asarray(ring(SIDE).alpha > 0.5)


@pytest.fixture
def whole(with_hole: Mask) -> Mask:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    return np.asarray(with_hole | (np.hypot(x, y) < 0.25))


def test_a_hole_that_shows_the_ground_is_opened(with_hole: Mask, whole: Mask) -> None:
    picture = photographed(ring(SIDE), photographic(SIDE))
    opened = open_holes(picture, whole, [candidate(whole, 1.0), candidate(with_hole, 0.99)])
    np.testing.assert_array_equal(opened, with_hole)


def test_what_only_a_worse_candidate_leaves_out_stays(with_hole: Mask, whole: Mask) -> None:
    for ground, score in ((photographic(SIDE), 0.95), (plain(SIDE), 0.9)):
        picture = photographed(ring(SIDE), ground)
        opened = open_holes(picture, whole, [candidate(whole, 1.0), candidate(with_hole, score)])
        np.testing.assert_array_equal(opened, whole)


def framed(thick: int) -> tuple[Pixels, Mask, Mask]:
    """Return a picture of an empty frame on plain ground, the frame, and the frame with what it encloses."""
    filled = np.zeros((SIDE, SIDE), np.bool_)
    filled[60:240, 60:240] = True
    frame = filled.copy()
    frame[60 + thick : 240 - thick, 60 + thick : 240 - thick] = False
    picture = plain(SIDE).astype(np.uint8)
    picture[frame] = (40, 38, 44)
    return picture, frame, filled


def test_an_empty_frame_need_not_be_the_best_candidates() -> None:
    picture, frame, filled = framed(8)
    opened = open_holes(picture, filled, [candidate(filled, 1.0), candidate(frame, 0.95)])
    np.testing.assert_array_equal(opened, frame)
    tinted = picture.copy()
    tinted[filled & ~frame] = np.clip(picture[filled & ~frame].astype(int) - 14, 0, 255)
    opened = open_holes(tinted, filled, [candidate(filled, 1.0), candidate(frame, 0.95)])
    np.testing.assert_array_equal(opened, filled)


@pytest.mark.parametrize(("part", "is_open"), [(0.25, True), (0.15, False)])
def test_a_hole_may_show_a_part_of_the_ground_only(part: float, *, is_open: bool) -> None:
    """Behind a product, only one of the colours of the ground is seen; where that is too few, it is a label."""
    picture, frame, filled = framed(50)
    picture[: round(SIDE * (1 - part))][~filled[: round(SIDE * (1 - part))]] = (120, 160, 60)
    opened = open_holes(picture, filled, [candidate(filled, 1.0), candidate(frame, 0.99)])
    np.testing.assert_array_equal(opened, frame if is_open else filled)


def test_a_label_with_much_of_the_product_around_it_must_be_the_best_candidates() -> None:
    picture, frame, filled = framed(50)
    opened = open_holes(picture, filled, [candidate(filled, 1.0), candidate(frame, 0.95)])
    np.testing.assert_array_equal(opened, filled)


def test_a_middle_that_looks_like_nothing_outside_is_kept(with_hole: Mask, whole: Mask) -> None:
    picture = photographed(ring(SIDE), plain(SIDE))
    picture[whole & ~with_hole] = (120, 60, 30)
    kept = keep_middles(picture, with_hole, [candidate(with_hole, 0.95), candidate(whole, 1.0), candidate(whole, 1.0)])
    assert (kept == whole).mean() > 0.995


def test_a_middle_that_shows_the_ground_is_none(with_hole: Mask, whole: Mask) -> None:
    picture = photographed(ring(SIDE), plain(SIDE))
    kept = keep_middles(picture, with_hole, [candidate(whole, 1.0), candidate(whole, 1.0)])
    np.testing.assert_array_equal(kept, with_hole)


def test_what_one_candidate_holds_is_no_middle(with_hole: Mask, whole: Mask) -> None:
    picture = photographed(ring(SIDE), plain(SIDE))
    picture[whole & ~with_hole] = (120, 60, 30)
    kept = keep_middles(picture, with_hole, [candidate(with_hole, 1.0), candidate(whole, 1.0), candidate(whole, 0.9)])
    np.testing.assert_array_equal(kept, with_hole)


def test_a_label_of_the_walls_colour_is_kept_between_the_ends_of_the_product() -> None:
    picture = np.full((SIDE, SIDE, 3), (238, 237, 233), np.uint8)
    whole = np.zeros((SIDE, SIDE), np.bool_)
    whole[40:260, 110:190] = True
    ends = whole.copy()
    ends[110:200] = False
    picture[ends] = (20, 50, 90)
    kept = keep_middles(picture, ends, [candidate(ends, 0.86), candidate(whole, 1.0), candidate(whole, 0.995)])
    assert (kept == whole).mean() > 0.995


def test_the_gap_between_two_products_is_not_filled_by_one_candidate() -> None:
    picture = np.full((SIDE, SIDE, 3), (238, 237, 233), np.uint8)
    both = np.zeros((SIDE, SIDE), np.bool_)
    both[60:240, 60:120] = both[60:240, 180:240] = True
    picture[both] = (20, 50, 90)
    filled = both.copy()
    filled[60:240, 60:240] = True
    kept = keep_middles(picture, both, [candidate(both, 1.0), candidate(both, 0.99), candidate(filled, 0.99)])
    np.testing.assert_array_equal(kept, both)


def test_what_has_colours_of_its_own_stays(with_hole: Mask, whole: Mask) -> None:
    picture = photographed(ring(SIDE), plain(SIDE))
    picture[whole & ~with_hole] = (20, 60, 200)
    opened = open_holes(picture, whole, [candidate(whole, 1.0), candidate(with_hole, 1.0)])
    np.testing.assert_array_equal(opened, whole)


def test_what_has_the_products_colours_stays(with_hole: Mask, whole: Mask) -> None:
    product = ring(SIDE)
    picture = np.round(product.colours).astype(np.uint8)  # the ground has the product's colours too
    opened = open_holes(picture, whole, [candidate(whole, 1.0), candidate(with_hole, 1.0)])
    np.testing.assert_array_equal(opened, whole)


def test_a_product_that_fills_the_picture_has_no_ground_to_compare_with() -> None:
    everything = np.ones((SIDE, SIDE), bool)
    picture = photographed(bottle(SIDE), plain(SIDE))
    opened = open_holes(picture, everything, [candidate(np.asarray(mug(SIDE).alpha > 0.5), 1.0)])
    np.testing.assert_array_equal(opened, everything)
