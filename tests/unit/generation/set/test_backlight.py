import numpy as np
import pytest

from services.generation.engines.set.backlight import MOST, with_backlight
from services.generation.engines.set.develop import develop
from services.generation.engines.set.panorama import LUMINANCE
from services.generation.geometry import Box
from services.generation.srgb import Light, encode

EXPOSURE = 0.3
BOX = Box(40, 20, 90, 100)
FOOT = np.s_[BOX.bottom :]


def product(brightness: float) -> Light:
    layer = np.full((BOX.height, BOX.width, 4), brightness, np.float32)
    layer[..., 3] = 1
    return layer


def room(behind: float, beside: float = 0.6) -> Light:
    """Return a place that is one way behind the product and another beside it, on an even ground."""
    light = np.full((120, 300, 3), beside, np.float32)
    light[:100, :130] = behind
    light[100:] = 0.4
    return light * np.array([1, 0.9, 0.8], np.float32)


def behind(light: Light) -> float:
    """Return how bright what is beside the product's upper part is, developed, as an sRGB value."""
    shown = encode(develop(light, EXPOSURE, (1, 1), 0))
    return float(shown[30:60, [BOX.left - 4, BOX.right + 3]].mean())


@pytest.mark.parametrize("darkness", [0.0, 0.01, 0.04])
def test_a_dark_product_is_set_apart_from_a_dark_ground(darkness: float) -> None:
    light = room(behind=darkness)
    lit = with_backlight(light, product(0.01), BOX, EXPOSURE)
    assert behind(lit) > behind(light) + 0.08
    assert np.array_equal(lit[FOOT], light[FOOT]), "the ground keeps its shadow"
    added = (lit - light) @ LUMINANCE
    assert added.min() >= 0
    mean = float(np.exp(np.log(light @ LUMINANCE + 1e-3).mean()))
    assert added.max() <= MOST * mean * 1.001
    assert added[:, 299].max() < 0.01 * added.max(), "far from it all is as it was"


@pytest.mark.parametrize(("own", "ground"), [(0.01, 0.5), (0.9, 0.02), (0.9, 0.9), (0.2, 0.9)])
def test_what_stands_out_or_is_bright_stays_as_it_is(own: float, ground: float) -> None:
    light = room(behind=ground)
    assert with_backlight(light, product(own), BOX, EXPOSURE) is light


def test_a_product_at_the_very_edge_is_lit_too() -> None:
    light = room(behind=0.0)
    box = Box(0, 0, 50, 80)
    lit = with_backlight(light, product(0.01)[:80], box, EXPOSURE)
    assert np.isfinite(lit).all()
    assert (lit > light).any()


def test_a_product_that_stands_out_by_its_colour_needs_no_light() -> None:
    red = product(0.1) * np.array([3, 0.1, 0.1, 10], np.float32)
    light = room(behind=0.02)
    assert with_backlight(light, red, BOX, EXPOSURE) is light


def test_the_glow_has_nothing_of_the_products_own_colour() -> None:
    light = room(behind=0.0)
    light[BOX.top : BOX.bottom, BOX.left : BOX.right] = (3, 0, 0)  # its solid, as it was traced
    added = with_backlight(light, product(0.005), BOX, EXPOSURE) - light
    red, green, _ = added[40, BOX.right + 2]
    assert 0 < red < 1.3 * green
