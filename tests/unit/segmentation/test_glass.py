"""What is seen through glass: found where the ground goes on in one direction, and never in what is opaque."""

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike
from numpy.typing import NDArray

from common.imaging.codec import Pixels
from services.segmentation.cutout.cutout import Hand, cut_out
from services.segmentation.cutout.glass import find_glass, find_glass_again
from services.segmentation.engines.base import Engines
from testing.products.drawn import GROUNDS, PRODUCTS, Plane, Product, glass, photographed

SIDE = 400
INSIDE, GLEAM = np.s_[180:290, 185:240], np.s_[150:280, 158:170]


def striped(degrees: float, seed: int = 0) -> Plane:
    """Return stripes of several widths and colours, in some direction."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    across = y * np.cos(np.radians(degrees)) - x * np.sin(np.radians(degrees)) + 2 * SIDE
    colours = cv2.GaussianBlur(rng.uniform(60, 230, (1, 5 * SIDE // 12, 3)).astype(np.float32), (1, 1), 0)[0]
    noise = rng.normal(0, 3, (SIDE, SIDE, 1))
    return np.asarray(np.clip(colours[(across / 12).astype(int) % len(colours)] + noise, 0, 255), np.float32)


def wall_and_table(seed: int = 0) -> Plane:
    rng = np.random.default_rng(seed)
    ground = np.empty((SIDE, SIDE, 3), np.float32)
    ground[:240], ground[240:] = rng.uniform(170, 235, 3), rng.uniform(60, 140, 3)
    grain = cv2.GaussianBlur(rng.normal(0, 20, (SIDE, SIDE, 1)).astype(np.float32), (0, 0), 1.5)[..., None]
    return np.asarray(np.clip(ground + grain, 0, 255), np.float32)


GOING_ON = {
    "stripes": striped(0),
    "upright stripes": striped(90),
    "slanting stripes": striped(83),
    "stripes from corner to corner": striped(40),
    "a table": wall_and_table(),
}


@pytest.mark.parametrize("ground", GOING_ON)
def test_the_new_ground_is_seen_through_glass_and_the_old_one_is_not(ground: str) -> None:
    product, outline = glass(SIDE)
    photo = photographed(product, GOING_ON[ground])
    found = find_glass(photo, outline)
    assert found is not None
    alpha = found.opacity(photo, outline)
    assert alpha[INSIDE].mean() < 0.35
    assert alpha[outline == 0].max() == 0
    assert alpha[outline == 1].min() > 0.05, "glass is never quite invisible"
    shown = composed(found.own_colours(photo, alpha), alpha, 40.0)
    old = GOING_ON[ground][INSIDE].std(axis=(0, 1)).mean()
    assert shown[INSIDE].std(axis=(0, 1)).mean() < old / 2
    assert shown[GLEAM].mean() > shown[INSIDE].mean() + 40, "a gleam is the glass's own"


def test_the_old_ground_gives_the_old_photo() -> None:
    product, outline = glass(SIDE)
    photo = photographed(product, GOING_ON["a table"])
    found = find_glass(photo, outline)
    assert found is not None
    alpha = found.opacity(photo, outline)
    behind = cv2.resize(found.behind, (SIDE, SIDE)) * 255
    again = composed(found.own_colours(photo, alpha), alpha, behind)
    inner = cv2.erode((outline == 1).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert np.abs(again - photo)[inner].mean() < 6


@pytest.mark.parametrize("ground", [*GOING_ON, "photographic", "slope", "plain"])
@pytest.mark.parametrize("name", PRODUCTS)
def test_what_is_opaque_stays_so(name: str, ground: str) -> None:
    product = PRODUCTS[name](SIDE)
    behind = GOING_ON[ground] if ground in GOING_ON else GROUNDS[ground](SIDE)
    assert find_glass(photographed(product, behind), product.alpha) is None


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shift", [0.1, 0.25, 0.5])
def test_an_opaque_product_with_stripes_of_its_own_stays_opaque(seed: int, shift: float) -> None:
    """They have the ground's direction, but are other stripes."""
    own = np.roll(striped(0, seed + 100), round(shift * SIDE), axis=0)
    product = Product(own, PRODUCTS["bottle"](SIDE).alpha)
    assert find_glass(photographed(product, striped(0, seed)), product.alpha) is None


def test_nothing_is_found_without_a_product_or_without_a_ground() -> None:
    photo = np.full((60, 40, 3), 128, np.uint8)
    for alpha in (0.0, 1.0):
        assert find_glass(photo, np.full((60, 40), alpha, np.float32)) is None
    one = np.zeros((60, 40), np.float32)
    one[30, 20] = 1
    assert find_glass(np.random.default_rng(1).integers(0, 256, (60, 40, 3), np.uint8), one) is None


@pytest.mark.parametrize("seed", range(40))
def test_any_photo_and_any_mask_are_looked_at(seed: int) -> None:
    """Also where the product fills the photo, touches its sides, or is a few pixels large."""
    rng = np.random.default_rng(seed)
    height, width = (int(side) for side in rng.integers(3, 90, 2) * rng.choice([1, 4]))
    ground = np.asarray(cv2.resize(striped(float(rng.uniform(0, 180)), seed), (width, height)), np.float32)
    alpha = np.zeros((height, width), np.float32)
    left, right = sorted(int(side) for side in rng.integers(0, width + 1, 2))
    top, bottom = sorted(int(side) for side in rng.integers(0, height + 1, 2))
    alpha[top:bottom, left:right] = 1
    see_through = Product(np.full_like(ground, 200), 0.2 * alpha)
    photo = photographed(see_through, ground)
    found = find_glass(photo, alpha)
    if found is not None:
        opacity = found.opacity(photo, alpha)
        assert opacity.min() >= 0
        assert opacity.max() <= 1
        assert found.own_colours(photo, opacity).shape == photo.shape


def test_what_a_brush_adds_to_glass_is_solid_and_the_rest_stays(engines: Engines) -> None:
    product, outline = glass(SIDE)
    photo = photographed(product, GOING_ON["a table"])
    found = find_glass(photo, outline)
    assert found is not None
    base = np.round(found.opacity(photo, outline) * 255).astype(np.float32) / 255
    assert find_glass_again(photo, base)[0] is not None
    drawn = np.zeros((SIDE, SIDE), np.int8)
    drawn[200:240, 190:230] = 1
    edited = cut_out(photo, Hand(base=base, drawn=drawn), engines).pixels
    assert edited[205:235, 195:225, 3].min() == 255
    assert np.array_equal(edited[205:235, 195:225, :3], photo[205:235, 195:225])
    elsewhere = np.abs(edited[..., 3] / 255 - base)[cv2.dilate(drawn.view(np.uint8), np.ones((9, 9), np.uint8)) == 0]
    assert elsewhere.max() < 1 / 128


def test_a_cutout_that_is_not_glass_is_left_as_it_is() -> None:
    product = PRODUCTS["plush"](SIDE)
    photo = photographed(product, GOING_ON["a table"])
    glass_of, alpha = find_glass_again(photo, product.alpha)
    assert glass_of is None
    assert alpha is product.alpha


def composed(colours: Pixels, alpha: MatLike, ground: float | MatLike) -> NDArray[np.float64]:
    share = alpha[..., None]
    return np.asarray(colours * share + np.asarray(ground) * (1 - share), np.float64)
