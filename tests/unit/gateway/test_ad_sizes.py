import numpy as np
import pytest

from common.errors import InvalidInputError
from gateway.ad_sizes import (
    DEFAULT,
    FAMILIES,
    MOST_BYTES_PER_PIXEL,
    OFFERED,
    SETS,
    check_together,
    parse_platforms,
    parse_sizes,
)
from gateway.layouts import LAYOUTS
from gateway.pipelines.scene import short_side
from gateway.settings import GatewaySettings
from services.generation.compose.files import FileFormat, encode_ad
from services.generation.engines.bedrock.stability import ASPECT_RATIOS
from services.generation.message.layouts import layout_names

MESSAGE = GatewaySettings().max_message_bytes


def names(text: str) -> list[str]:
    return [size.name for size in parse_sizes(text)]


def test_without_a_choice_the_frontends_three_are_made_in_its_order() -> None:
    assert names("") == names(" ") == list(DEFAULT) == ["300x250", "320x480", "336x280"]


def test_sizes_are_made_in_the_order_asked_for() -> None:
    assert names("1080x1920, 728×90,300X250") == ["1080x1920", "728x90", "300x250"]


@pytest.mark.parametrize("text", ["300x250,", "x", "300x250,big", "a" * 190, "google meta", "-5x5", "٣٠٠x٢٥٠"])
def test_what_is_no_size_is_refused_with_what_is_one(text: str) -> None:
    with pytest.raises(
        InvalidInputError, match=r"is not offered: write a platform \(google, .*iab\) or pixels such as"
    ):
        parse_sizes(text)


@pytest.mark.parametrize("text", ["0x0", "49x200", "200x49", "2001x300", "99999x1"])
def test_a_size_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is out of bounds: a side has 50 to 2000 pixels"):
        parse_sizes(text)


@pytest.mark.parametrize("text", ["50x50", "50x2000", "2000x50", "2000x2000", "1234x567"])
def test_any_size_within_bounds_is_made(text: str) -> None:
    assert names(text) == [text]


def test_a_platform_stands_for_its_sizes() -> None:
    assert names("google, LINE") == ["1200x628", "1200x1200", "1080x1080", "600x400"]
    assert set(names("meta,google,line,iab")) >= {"300x50", "1080x1920", "1200x628", "970x90"}
    assert len(names("meta,google,line,iab")) >= 18


def test_too_many_sizes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="at most 40 ads"):
        parse_sizes(",".join(f"{200 + number}x200" for number in range(41)))


def test_platforms_of_sizes_and_texts_are_named_once() -> None:
    assert parse_platforms("google,300x250,google", "line, google") == ("google", "line")
    with pytest.raises(InvalidInputError, match="Platforms are google"):
        parse_platforms("", "googel")


def test_a_weight_is_the_least_that_a_platform_allows() -> None:
    weights = {size.name: size.most_bytes for size in parse_sizes("300x250,320x50,1080x1080,1080x1350,500x500")}
    assert weights == {
        "300x250": 150_000,
        "320x50": 50_000,
        "1080x1080": 5_000_000,
        "1080x1350": 30_000_000,
        "500x500": 0,
    }


def test_layouts_are_those_of_the_generation_service() -> None:
    assert set(LAYOUTS) - {"none", "auto"} == set(layout_names())


def test_a_size_is_made_once() -> None:
    assert [size.name for size in parse_sizes("300x250,728x90,300x250")] == ["300x250", "728x90"]


def test_image_models_offer_every_family() -> None:
    assert {size.family for size in parse_sizes(",".join(OFFERED))} <= set(ASPECT_RATIOS) == set(FAMILIES)


@pytest.mark.parametrize("name", OFFERED)
def test_a_background_has_the_pixels_that_its_ads_need(name: str) -> None:
    [size] = parse_sizes(name)
    across, down = size.family
    side = short_side(size.family, [size])
    width, height = side * max(1, across / down), side * max(1, down / across)
    shown = min(width, height * size.width / size.height)
    assert 240 <= side <= 1200
    assert shown >= size.width * 0.999


def test_the_default_sizes_are_asked_for_twice_as_large() -> None:
    assert short_side((5, 4), parse_sizes("300x250,336x280")) == 560
    assert short_side((2, 3), parse_sizes("320x480")) == 640


@pytest.mark.parametrize("file_format", ["", "jpeg", "webp", "png"])
def test_ads_that_do_not_fit_into_a_message_together_are_refused_before_the_work(file_format: str) -> None:
    every = parse_sizes(",".join(SETS))
    check_together(every, file_format, MESSAGE)
    large = parse_sizes(",".join(f"{2000 - number}x2000" for number in range(18)))
    with pytest.raises(InvalidInputError, match="72 million pixels together") as caught:
        check_together(large, file_format, MESSAGE)
    assert caught.value.reason == "SIZES_TOGETHER"
    assert ("JPEG" in str(caught.value)) == (file_format == "png")


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "png"])
def test_nothing_takes_more_bytes_than_is_reckoned_with(file_format: FileFormat) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 300, 3), np.uint8)
    assert len(encode_ad(noise, file_format, 1 << 30)) / noise[..., 0].size < MOST_BYTES_PER_PIXEL[file_format]
