"""What a cut-out covers: glass does, a shadow that came along does not."""

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike

from services.generation.silhouette import silhouette
from services.generation.srgb import Light


def disc(radius: int) -> Light:
    canvas = np.zeros((120, 120), np.uint8)
    cv2.circle(canvas, (60, 50), radius, 255, cv2.FILLED, cv2.LINE_AA)
    return np.asarray(canvas / 255, np.float32)


def layer(alpha: MatLike, colour: tuple[float, float, float]) -> Light:
    return np.dstack([alpha[..., None] * np.array(colour, np.float32), alpha]).astype(np.float32)


def over(top: Light, bottom: Light) -> Light:
    return top + (1 - top[..., 3:]) * bottom


def test_an_opaque_product_covers_what_is_more_than_half_opaque() -> None:
    soft = layer(cv2.GaussianBlur(disc(30), (0, 0), 1.5), (0.2, 0.5, 0.1))
    assert np.array_equal(silhouette(soft), soft[..., 3] > 0.5)


@pytest.mark.parametrize("alpha", [0.08, 0.3, 0.45])
def test_glass_covers_as_much_as_if_it_were_solid(alpha: float) -> None:
    covered, solid = silhouette(layer(alpha * disc(30), (0.8, 0.9, 1.0))), disc(30) > 0.5
    assert (covered ^ solid).sum() < 0.03 * solid.sum()


def test_dark_places_inside_glass_belong_to_it() -> None:
    glass = layer(0.2 * disc(30), (0.8, 0.9, 1.0))
    glass[40:60, 50:70, :3] = 0
    assert silhouette(glass)[40:60, 50:70].all()


def test_an_opening_in_a_solid_product_stays_open() -> None:
    ring = layer(disc(30) * (1 - disc(15)), (0.5, 0.4, 0.1))
    assert not silhouette(ring)[45:55, 55:65].any()


def test_a_shadow_that_a_cutout_brings_along_is_not_the_product() -> None:
    below = cv2.GaussianBlur(np.roll(disc(30), 25, axis=0), (0, 0), 5) * 0.4
    product = layer(disc(30), (0.2, 0.5, 0.1))
    shown, alone = silhouette(over(product, layer(below, (0, 0, 0)))), silhouette(product)
    assert (shown ^ alone).sum() < 0.02 * alone.sum()


def test_nothing_covers_nothing() -> None:
    assert not silhouette(np.zeros((5, 3, 4), np.float32)).any()
