import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.generation.compose.layout import CLOSE, arranged, crop_for, product_box
from services.generation.geometry import Arrangement, Box, Size

sides = st.integers(50, 2000)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Size, Box]:
    width, height = draw(sides), draw(sides)
    left, top = draw(st.integers(0, width - 20)), draw(st.integers(0, height - 20))
    right, bottom = draw(st.integers(left + 10, width)), draw(st.integers(top + 10, height))
    return Size(width, height), Box(left, top, right, bottom)


@given(scene=scenes(), ad=st.builds(Size, sides, sides))
def test_the_window_lies_in_the_background_and_keeps_its_proportions(scene: tuple[Size, Box], ad: Size) -> None:
    background, box = scene
    crop = crop_for(background, box, ad)
    assert crop.left >= 0
    assert crop.top >= 0
    assert crop.left + crop.width <= background.width + 1e-6
    assert crop.top + crop.height <= background.height + 1e-6
    assert abs(crop.width / crop.height - ad.aspect_ratio) < 1e-6 * ad.aspect_ratio
    is_largest = crop.width > background.width - 1e-6 or crop.height > background.height - 1e-6
    takes = max(box.width / crop.width, box.height / crop.height)
    assert is_largest or (takes <= CLOSE + 1e-6 and crop.width >= ad.width - 1e-6)


def test_a_product_that_stands_far_away_is_looked_at_from_nearer() -> None:
    background, box, ad = Size(2000, 1500), Box(900, 900, 1000, 1100), Size(300, 250)
    place = product_box(Size(100, 200), box, crop_for(background, box, ad), ad)
    assert place.height > 0.42 * ad.height
    assert crop_for(background, box, Size(2000, 1500)).width == 2000


@given(scene=scenes(), ad=st.builds(Size, sides, sides), product=st.builds(Size, sides, sides))
def test_the_product_is_whole_and_not_squashed(scene: tuple[Size, Box], ad: Size, product: Size) -> None:
    background, box = scene
    crop = crop_for(background, box, ad)
    place = product_box(product, box, crop, ad)
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= ad.width
    assert place.top + place.height <= ad.height
    assume(min(place.width, place.height) > 10)
    wanted = product.width / product.height
    assert abs(place.width / place.height / wanted - 1) < 1.1 / min(place.width, place.height)


def test_the_product_stands_on_the_foot_of_its_zone() -> None:
    background, box, ad = Size(800, 640), Box(145, 58, 655, 494), Size(300, 250)
    crop = crop_for(background, box, ad)
    place = product_box(Size(200, 500), box, crop, ad)
    foot = (box.bottom - crop.top) * ad.width / crop.width
    assert abs(place.top + place.height - foot) <= 1
    assert abs(place.left + place.width / 2 - ad.width / 2) <= 1.5


@given(
    scene=scenes(),
    right=st.floats(-1, 1),
    down=st.floats(-1, 1),
    scale=st.floats(0.25, 4),
)
def test_a_product_that_is_moved_stays_in_its_ad_in_its_proportions(
    scene: tuple[Size, Box], right: float, down: float, scale: float
) -> None:
    ad, box = scene
    moved = arranged(box, Arrangement(right, down, scale), ad)
    assert moved.is_within(ad)
    assert moved.width / moved.height == pytest.approx(box.width / box.height, rel=1.1 / min(moved.width, moved.height))


def test_a_product_moves_by_parts_of_the_ad_and_is_scaled_about_its_foot() -> None:
    ad, box = Size(400, 200), Box(100, 80, 140, 160)
    assert arranged(box, Arrangement(), ad) == box
    assert arranged(box, Arrangement(right=0.25, down=-0.1), ad) == Box(200, 60, 240, 140)
    assert arranged(box, Arrangement(scale=1.5), ad) == Box(90, 40, 150, 160)
