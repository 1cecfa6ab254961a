import pytest

from common.errors import InvalidInputError
from gateway.ad_sizes import DEFAULT, OFFERED, parse_sizes
from gateway.pipelines.scene import short_side
from services.generation.engines.bedrock.stability import ASPECT_RATIOS


def names(text: str) -> list[str]:
    return [size.name for size in parse_sizes(text)]


def test_without_a_choice_the_frontends_three_are_made_in_its_order() -> None:
    assert names("") == names(" ") == list(DEFAULT) == ["300x250", "320x480", "336x280"]


def test_sizes_are_made_in_the_order_asked_for() -> None:
    assert names("1080x1920, 728×90,300X250") == ["1080x1920", "728x90", "300x250"]


@pytest.mark.parametrize("text", ["100x100", "300x250,", "x", "300x250,big", "0x0", "a" * 190])
def test_an_unknown_size_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not offered: choose from 300x250, 320x480, 336x280, 728x90, "):
        parse_sizes(text)


def test_a_size_is_made_once() -> None:
    assert [size.name for size in parse_sizes("300x250,728x90,300x250")] == ["300x250", "728x90"]


def test_image_models_offer_every_family() -> None:
    assert {size.family for size in OFFERED.values()} <= set(ASPECT_RATIOS)


@pytest.mark.parametrize("name", OFFERED)
def test_a_background_has_the_pixels_that_its_ads_need(name: str) -> None:
    size = OFFERED[name]
    across, down = size.family
    side = short_side(size.family, [size])
    width, height = side * max(1, across / down), side * max(1, down / across)
    shown = min(width, height * size.width / size.height)
    assert 240 <= side <= 1080
    assert shown >= size.width * 0.999


def test_the_default_sizes_are_asked_for_twice_as_large() -> None:
    assert short_side((5, 4), parse_sizes("300x250,336x280")) == 560
    assert short_side((2, 3), parse_sizes("320x480")) == 640
