from hypothesis import assume, given
from hypothesis import strategies as st

from services.generation.background.engine import Zone
from services.generation.compose.layout import Size, place_for, window_for

sides = st.integers(50, 2000)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Size, Zone]:
    width, height = draw(sides), draw(sides)
    left, top = draw(st.integers(0, width - 20)), draw(st.integers(0, height - 20))
    right, bottom = draw(st.integers(left + 10, width)), draw(st.integers(top + 10, height))
    return Size(width, height), Zone(left, top, right, bottom)


@given(scene=scenes(), ad=st.builds(Size, sides, sides))
def test_the_window_lies_in_the_background_and_keeps_its_proportions(scene: tuple[Size, Zone], ad: Size) -> None:
    background, zone = scene
    window = window_for(background, zone, ad)
    assert window.left >= 0
    assert window.top >= 0
    assert window.left + window.width <= background.width + 1e-6
    assert window.top + window.height <= background.height + 1e-6
    assert abs(window.width / window.height - ad.aspect_ratio) < 1e-6 * ad.aspect_ratio
    assert window.width > background.width - 1e-6 or window.height > background.height - 1e-6


@given(scene=scenes(), ad=st.builds(Size, sides, sides), product=st.builds(Size, sides, sides))
def test_the_product_is_whole_and_not_squashed(scene: tuple[Size, Zone], ad: Size, product: Size) -> None:
    background, zone = scene
    window = window_for(background, zone, ad)
    place = place_for(product, zone, window, ad)
    assert place.left >= 0
    assert place.top >= 0
    assert place.left + place.width <= ad.width
    assert place.top + place.height <= ad.height
    assume(min(place.width, place.height) > 10)
    wanted = product.width / product.height
    assert abs(place.width / place.height / wanted - 1) < 1.1 / min(place.width, place.height)


def test_the_product_stands_on_the_foot_of_its_zone() -> None:
    background, zone, ad = Size(800, 640), Zone(145, 58, 655, 494), Size(300, 250)
    window = window_for(background, zone, ad)
    place = place_for(Size(200, 500), zone, window, ad)
    foot = (zone.bottom - window.top) * ad.width / window.width
    assert abs(place.top + place.height - foot) <= 1
    assert abs(place.left + place.width / 2 - ad.width / 2) <= 1.5
