"""Transparency that is the outline of a product, and transparency without meaning."""

import numpy as np
import pytest

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.own_alpha import flattened, is_cut_out_already
from testing.pictures import ball, disc_cutout

PHOTO, BALL = ball(300, 240)


def with_alpha(alpha: Mask | int) -> Pixels:
    hidden = np.where(alpha, 255, 0) if isinstance(alpha, np.ndarray) else np.full(PHOTO.shape[:2], alpha)
    return np.dstack([PHOTO, hidden.astype(np.uint8)])


def rounded(radius: int) -> Mask:
    height, width = PHOTO.shape[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    across, down = np.maximum(radius - np.minimum(x, width - x), 0), np.maximum(radius - np.minimum(y, height - y), 0)
    return np.asarray(np.hypot(across, down) <= radius)


def strip(rows: int) -> Mask:
    shown = np.ones(PHOTO.shape[:2], np.bool_)
    shown[:rows] = False
    return shown


@pytest.mark.parametrize(
    "photo", [with_alpha(BALL), disc_cutout(60), with_alpha(BALL)[:200], with_alpha(BALL)[70:, 60:]]
)
def test_the_outline_of_a_product_is_one(photo: Pixels) -> None:
    assert is_cut_out_already(photo)


@pytest.mark.parametrize(
    "photo",
    [
        PHOTO,
        PHOTO[..., 0],
        with_alpha(255),
        with_alpha(254),
        with_alpha(100),
        with_alpha(0),
        with_alpha(rounded(60)),
        with_alpha(rounded(20)),
        with_alpha(strip(20)),
        with_alpha(strip(20) & rounded(30)),
    ],
)
def test_other_transparency_means_nothing(photo: Pixels) -> None:
    assert not is_cut_out_already(photo)


def test_hidden_colours_do_not_stand_out() -> None:
    photo = with_alpha(rounded(40))
    photo[photo[..., 3] == 0] = 0
    flat = flattened(photo)
    assert flat.shape == PHOTO.shape
    assert np.abs(flat.astype(int) - PHOTO)[~rounded(40)].mean() < 20
    assert np.array_equal(flat[rounded(40)], PHOTO[rounded(40)])
    assert np.array_equal(flattened(with_alpha(100)), PHOTO)
