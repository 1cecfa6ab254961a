"""Which holes of a mask are opened."""

import numpy as np
import pytest

from common.imaging.codec import Mask
from services.segmentation.cutout.holes import open_holes
from services.segmentation.engines.base import Candidate
from testing.products import bottle, mug, photographed, photographic, plain, ring

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
    picture = photographed(ring(SIDE), plain(SIDE))
    opened = open_holes(picture, whole, [candidate(whole, 1.0), candidate(with_hole, 0.95)])
    np.testing.assert_array_equal(opened, whole)


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
