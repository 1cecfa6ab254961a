import itertools

import numpy as np
import pytest

from services.generation.audience import AGES, GENDERS, INTERESTS, Audience, Product
from services.generation.background.engine import Background
from services.generation.background.palette import choose_palette
from services.generation.background.studio import Studio

PRODUCT = Product("bottle")


def make(audience: Audience | None = None, aspect_ratio: float = 1.25, seed: int = 1) -> Background:
    return Studio(stand_in=False).generate(PRODUCT, audience or Audience(), aspect_ratio, seed)


def test_a_seed_gives_one_picture() -> None:
    first, again, other = make(seed=5), make(seed=5), make(seed=6)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.prompt == again.prompt
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("aspect_ratio", [1 / 4, 2 / 3, 1.0, 1.25, 728 / 90 / 2.1, 4.0])
def test_every_aspect_ratio_has_room_for_the_product(aspect_ratio: float) -> None:
    background = make(aspect_ratio=aspect_ratio)
    height, width = background.pixels.shape[:2]
    assert width / height == pytest.approx(aspect_ratio, rel=0.01)
    assert width * height >= 0.2e6
    zone = background.zone
    assert 0 <= zone.left < zone.right <= width
    assert 0 <= zone.top < zone.bottom <= height
    assert zone.bottom - zone.top > 0.5 * height


def test_the_picture_has_depth_and_no_bands() -> None:
    pixels = make(seed=2).pixels.astype(int)
    assert pixels.min() < 90
    assert pixels.max() > 200
    wall = pixels[: pixels.shape[0] // 8, :, 1]
    assert len(np.unique(wall)) > 5
    # Dithering: neighbours on the smooth wall differ by noise, not in steps.
    assert (np.diff(wall, axis=1) != 0).mean() > 0.2


def test_audiences_see_different_sets() -> None:
    pictures = [make(Audience(interest=interest)).pixels.mean(axis=(0, 1)) for interest in INTERESTS]
    assert all(np.abs(a - b).max() > 3 for a, b in itertools.combinations(pictures, 2))


def test_the_prompt_names_product_and_audience() -> None:
    prompt = make(Audience("female", "25-34", "outdoor")).prompt
    assert all(word in prompt for word in ("bottle", "female", "25-34", "outdoor"))


def test_every_audience_has_a_palette() -> None:
    for gender, age, interest in itertools.product((*GENDERS, ""), (*AGES, ""), (*INTERESTS, "")):
        palette = choose_palette(Audience(gender, age, interest), 7)
        colours = np.array([palette.wall, palette.floor, palette.podium, *palette.accents])
        assert colours.min() >= 0
        assert colours.max() <= 1


def test_a_stand_in_stands_where_the_product_goes() -> None:
    empty = Studio(stand_in=False).generate(PRODUCT, Audience(), 1.25, 9)
    taken = Studio(stand_in=True).generate(PRODUCT, Audience(), 1.25, 9)
    changed = np.abs(empty.pixels.astype(int) - taken.pixels).max(axis=2) > 30
    zone = empty.zone
    rows, columns = np.nonzero(changed[zone.top : zone.bottom, zone.left : zone.right])
    assert rows.size > 1000
    assert columns.mean() == pytest.approx((zone.right - zone.left) / 2, rel=0.2)
