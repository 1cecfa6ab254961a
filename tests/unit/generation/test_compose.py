import numpy as np
import pytest

from services.generation.background.engine import Zone
from services.generation.compose.compose import Backdrop, compose, encode_within
from services.generation.compose.layout import Place, Size
from services.generation.compose.shadow import contact_shadow
from services.generation.light import to_linear, to_srgb
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels
from tests.pictures import decoded, disc_cutout, texture

SIZES = [Size(300, 250), Size(320, 480), Size(336, 280)]
GREY = 180


def backdrop(width: int = 800, height: int = 640) -> Backdrop:
    pixels = np.full((height, width, 3), GREY, np.uint8)
    zone = Zone(round(0.2 * width), round(0.1 * height), round(0.8 * width), round(0.77 * height))
    return Backdrop(pixels, zone)


def ads(cutout: Pixels, *backdrops: Backdrop) -> list[Pixels]:
    return [decoded(file) for file in compose(backdrops or (backdrop(), backdrop(640, 960)), cutout, SIZES, 150_000)]


def red_part(ad: Pixels) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    return (ad[..., 0].astype(int) - ad[..., 1]) > 60


def test_every_ad_has_its_exact_size_and_fits() -> None:
    files = compose([Backdrop(texture(800, 640), backdrop().zone)], disc_cutout(400), SIZES, 150_000)
    for file, size in zip(files, SIZES, strict=True):
        assert file.startswith(b"\xff\xd8")
        assert len(file) <= 150_000
        assert decoded(file).shape == (size.height, size.width, 3)


def test_the_product_is_whole_round_and_in_its_own_colour() -> None:
    for ad in ads(disc_cutout(700)):
        rows, columns = np.nonzero(red_part(ad))
        assert rows.min() > 0
        assert rows.max() < ad.shape[0] - 1
        assert columns.min() > 0
        assert columns.max() < ad.shape[1] - 1
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)
        centre = ad[int(rows.mean()), int(columns.mean())]
        assert np.abs(centre.astype(int) - (220, 20, 30)).max() <= 6


def test_no_hidden_colour_bleeds_into_the_edge() -> None:
    # Pure green hides under the clear part of the cut-out: any of it in the ad would be a halo.
    for ad in ads(disc_cutout(700)):
        green = ad[..., 1].astype(int) - np.maximum(ad[..., 0], ad[..., 2])
        assert green.max() < 25


def test_the_background_is_not_squashed() -> None:
    y, x = np.mgrid[:640, :800]
    ring = np.abs(np.hypot(x - 400, y - 250) - 200) < 12
    pixels = np.full((640, 800, 3), GREY, np.uint8)
    pixels[ring] = (20, 20, 240)
    for ad in ads(disc_cutout(100), Backdrop(pixels, Zone(390, 470, 410, 490))):
        blue = (ad[..., 2].astype(int) - ad[..., 0]) > 60
        rows, columns = np.nonzero(blue)
        if np.ptp(columns) + 1 < ad.shape[1]:
            assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=5)


def test_the_shadow_lies_under_the_product_and_nowhere_else() -> None:
    alpha = np.ones((100, 60), np.float32)
    light = contact_shadow(alpha, Place(120, 50, 60, 100), Size(300, 250))
    assert light.shape == (250, 300)
    assert light[150, 150] < 0.7
    assert light[150, 150] < light[165, 150]
    assert light[20, 150] > 0.99
    assert light[150, 20] > 0.99
    assert light.min() >= 0


def test_haze_does_not_decide_the_size() -> None:
    hazy = disc_cutout(400)
    hazy[0, 0] = (255, 255, 255, 3)
    hazy[-1, -1] = (255, 255, 255, 3)
    for clean_ad, hazy_ad in zip(ads(disc_cutout(400)), ads(hazy), strict=True):
        assert np.array_equal(red_part(clean_ad), red_part(hazy_ad))


def test_each_size_takes_the_background_of_the_nearest_proportions() -> None:
    wide, tall = backdrop(), backdrop(640, 960)
    tall.pixels[:] = (60, 90, 160)
    landscape, portrait, _ = ads(disc_cutout(400), wide, tall)
    assert landscape[2, 2, 2] == pytest.approx(GREY, abs=4)
    assert portrait[2, 2, 2] == pytest.approx(160, abs=4)


@pytest.mark.parametrize(("width", "height"), [(1000, 4), (4, 1000), (1, 1)])
def test_extreme_products_are_placed(width: int, height: int) -> None:
    for ad in ads(np.full((height, width, 4), 255, np.uint8)):
        assert ad.max() == 255


@pytest.mark.parametrize(("width", "height"), [(1, 1), (400, 3), (3, 400)])
def test_the_smallest_backgrounds_are_taken(width: int, height: int) -> None:
    tiny = Backdrop(np.full((height, width, 3), GREY, np.uint8), Zone(0, 0, width, height))
    sizes = [Size(600, 50), Size(50, 600), Size(300, 250)]
    files = compose([tiny], disc_cutout(40), sizes, 150_000)
    assert [decoded(file).shape[:2] for file in files] == [(size.height, size.width) for size in sizes]


def test_bad_input_is_told_apart() -> None:
    with pytest.raises(PreconditionError, match="empty"):
        ads(np.zeros((10, 10, 4), np.uint8))
    with pytest.raises(InvalidInputError, match="transparency"):
        ads(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(InvalidInputError, match="outside"):
        ads(disc_cutout(50), Backdrop(backdrop().pixels, Zone(0, 0, 801, 100)))


def test_quality_falls_until_the_file_fits() -> None:
    noise = texture(300, 250)
    large, small = encode_within(noise, 150_000), encode_within(noise, 60_000)
    assert len(small) <= 60_000 < len(large) <= 150_000
    with pytest.raises(PreconditionError, match="does not fit"):
        encode_within(texture(2000, 2000), 20_000)


def test_light_survives_a_round_trip() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(values)), values)
