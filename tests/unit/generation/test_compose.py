import cv2
import numpy as np
import pytest

from common.errors import InvalidInputError, PreconditionError
from common.imaging.codec import Pixels
from services.generation.compose.compose import Creative, Order, Output, Scene, compose, put
from services.generation.compose.edges import clean_edges
from services.generation.compose.fidelity import Fidelity, fidelity
from services.generation.compose.files import encode_ad
from services.generation.compose.quality import Limits, assess
from services.generation.compose.reflection import reflection
from services.generation.compose.scale import scaled, sharpened
from services.generation.compose.shadow import blurred, cast_shadow, contact_shadow, tinted
from services.generation.geometry import Box, Size
from services.generation.message.fonts import Fonts
from services.generation.message.message import Message
from services.generation.message.words import Words
from services.generation.placement.placement import Placement, SceneLight
from services.generation.srgb import Light, to_linear, to_premultiplied, to_srgb
from testing.pictures import decoded, disc_cutout, texture
from weights.manifest import FOLDER

SIZES = [Size(300, 250), Size(320, 480), Size(336, 280)]
EVERY_SIZE = [*SIZES, Size(728, 90), Size(160, 600), Size(300, 600), Size(970, 250), Size(1080, 1080), Size(1080, 1920)]
GREY = 180
AD = Size(300, 250)


def placement(width: int = 800, height: int = 640, reflectance: float = 0.0) -> Placement:
    zone = Box(round(0.2 * width), round(0.1 * height), round(0.8 * width), round(0.77 * height))
    return Placement(zone, SceneLight(0.5, 0.8, 0.4, 0.4), reflectance)


def scene(width: int = 800, height: int = 640, reflectance: float = 0.0) -> Scene:
    return Scene(np.full((height, width, 3), GREY, np.uint8), placement(width, height, reflectance))


def creatives(cutout: Pixels, *scenes: Scene, sizes: list[Size] = SIZES) -> list[Creative]:
    return compose(scenes or (scene(), scene(640, 960)), cutout, [Order(size) for size in sizes], Output())


def ads(cutout: Pixels, *scenes: Scene, sizes: list[Size] = SIZES) -> list[Pixels]:
    return [decoded(creative.file) for creative in creatives(cutout, *scenes, sizes=sizes)]


def red_part(ad: Pixels) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    return (ad[..., 0].astype(int) - ad[..., 1]) > 60


def box(height: int, width: int, colour: float = 0.2) -> Light:
    """Return an opaque, premultiplied layer, (height, width, 4)."""
    return np.dstack([np.full((height, width, 3), colour), np.ones((height, width))]).astype(np.float32)


def test_every_ad_has_its_exact_size_and_fits() -> None:
    made = creatives(disc_cutout(400), Scene(texture(800, 640), placement()))
    for creative, size in zip(made, SIZES, strict=True):
        assert creative.file.startswith(b"\xff\xd8")
        assert len(creative.file) <= 150_000
        assert decoded(creative.file).shape == (size.height, size.width, 3)


def test_the_product_is_whole_round_and_in_its_own_colour_in_every_size() -> None:
    for ad in ads(disc_cutout(700), sizes=EVERY_SIZE):
        rows, columns = np.nonzero(red_part(ad))
        assert rows.min() > 0
        assert rows.max() < ad.shape[0] - 1
        assert columns.min() > 0
        assert columns.max() < ad.shape[1] - 1
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)
        assert max(np.ptp(rows) / ad.shape[0], np.ptp(columns) / ad.shape[1]) > 0.4, "as large as the size allows"
        centre = ad[int(rows.mean()), int(columns.mean())]
        assert np.abs(centre.astype(int) - (220, 20, 30)).max() <= 6


def test_inside_the_product_its_colours_are_the_photos() -> None:
    """The placed layer must equal the downscaled photo: no light, shadow or edge may change it."""
    rng = np.random.default_rng(3)
    photo = np.kron(rng.integers(0, 256, (24, 32, 3), np.uint8), np.ones((20, 20, 1), np.uint8))
    y, x = np.mgrid[:480, :640]
    alpha = np.where(np.hypot(x - 320, y - 240) < 200, 255, 0).astype(np.uint8)
    layer = clean_edges(scaled(to_premultiplied(np.dstack([photo, alpha])), Size(160, 120)))
    picture = to_linear(texture(300, 250))
    finished = to_srgb(put(picture, layer, Box(40, 60, 200, 180)))[60:180, 40:200]
    alone = to_srgb(scaled(to_linear(photo), Size(160, 120)))
    # Without the edge, where sharpening sees the background in the photo, but not in the cutout.
    inside = np.hypot(np.arange(160)[None] - 79.5, np.arange(120)[:, None] - 59.5) < 46
    assert np.abs(finished.astype(int) - alone)[inside].max() <= 2


def test_premultiplied_light_is_light_times_alpha() -> None:
    pixels = np.dstack([texture(50, 40), texture(50, 40, seed=1)[..., :1]])
    light = to_premultiplied(pixels)
    alpha = pixels[..., 3:].astype(np.float32) / 255
    assert np.allclose(light, np.dstack([to_linear(pixels[..., :3]) * alpha, alpha]), atol=1e-6)


def test_a_plain_product_keeps_its_exact_colour_to_the_very_edge() -> None:
    cutout = np.dstack([np.full((400, 400, 3), (200, 120, 40), np.uint8), disc_cutout(400)[..., 3]])
    layer = clean_edges(scaled(to_premultiplied(cutout), Size(100, 100)))
    placed = to_srgb(put(np.zeros((120, 120, 3), np.float32), layer, Box(10, 10, 110, 110)))[10:110, 10:110]
    assert np.abs(placed[layer[..., 3] > 0.999].astype(int) - (200, 120, 40)).max() <= 1


def test_no_hidden_colour_bleeds_into_the_edge() -> None:
    # Transparent pixels of the cutout are pure green: any green in the ad would be a halo.
    for ad in ads(disc_cutout(700)):
        green = ad[..., 1].astype(int) - np.maximum(ad[..., 0], ad[..., 2])
        assert green.max() < 25


def test_a_white_rim_of_the_photos_background_is_cleaned_away() -> None:
    y, x = np.mgrid[:60, :60]
    alpha = np.clip(22 - np.hypot(x - 30, y - 30), 0, 2) / 2
    colour = np.where((alpha > 0.99)[..., None], (0.5, 0.02, 0.02), (1.0, 1.0, 1.0))
    rimmed = np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
    clean = clean_edges(rimmed)
    rim = (alpha > 0.2) & (alpha < 0.8)
    assert (rimmed[rim, 1] / alpha[rim]).mean() > 0.99
    assert (clean[rim, 1] / alpha[rim]).mean() < 0.1
    assert np.array_equal(clean[..., 3], rimmed[..., 3])
    assert np.array_equal(clean[alpha == 1], rimmed[alpha == 1])


def test_glass_keeps_its_own_colours() -> None:
    glass = np.full((40, 40, 4), 0.4, np.float32) * (0.2, 0.5, 1.0, 1.0)
    assert np.allclose(clean_edges(glass.astype(np.float32)), glass, atol=1e-6)


def test_sharpening_brings_detail_back_and_changes_no_plain_colour() -> None:
    stripes = to_linear(np.repeat(np.tile([[60, 200]], (40, 20))[..., None], 3, axis=2).astype(np.uint8))
    soft = scaled(np.repeat(np.repeat(stripes, 3, 0), 3, 1), Size(30, 30))
    assert np.ptp(sharpened(soft)[10:20, 10:20]) > 1.2 * np.ptp(soft[10:20, 10:20])
    assert sharpened(soft).mean() == pytest.approx(soft.mean(), abs=0.005)
    plain = box(30, 30, 0.37)
    assert np.allclose(sharpened(plain), plain, atol=1e-6)
    sheer = plain * 0.5
    assert np.allclose(sharpened(sheer), sheer, atol=1e-6)


def test_the_background_is_not_squashed() -> None:
    y, x = np.mgrid[:640, :800]
    ring = np.abs(np.hypot(x - 400, y - 250) - 200) < 12
    pixels = np.full((640, 800, 3), GREY, np.uint8)
    pixels[ring] = (20, 20, 240)
    for ad in ads(disc_cutout(100), Scene(pixels, Placement(Box(390, 470, 410, 490)))):
        blue = (ad[..., 2].astype(int) - ad[..., 0]) > 60
        rows, columns = np.nonzero(blue)
        if np.ptp(columns) + 1 < ad.shape[1]:
            assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=5)


def test_the_contact_shadow_lies_under_the_product_and_nowhere_else() -> None:
    alpha = np.ones((100, 60), np.float32)
    light = contact_shadow(alpha, Box(120, 50, 180, 150), AD)
    assert light.shape == (250, 300)
    assert light[150, 150] < 0.7
    assert light[150, 150] < light[165, 150]
    assert light[20, 150] > 0.99
    assert light[150, 20] > 0.99
    assert light.min() >= 0


@pytest.mark.parametrize("side", [-1, 1])
def test_the_cast_shadow_falls_away_from_the_light(side: int) -> None:
    alpha, place = np.ones((100, 40), np.float32), Box(130, 50, 170, 150)
    light = cast_shadow(
        alpha, place, AD, Placement(Box(0, 0, 1, 1), SceneLight(right=0.6 * side, up=1.0, towards=0.6, shadow=0.5))
    )
    left, right = light[100:150, 60:125].mean(), light[100:150, 175:240].mean()
    assert (left < right - 0.02) if side > 0 else (right < left - 0.02)
    assert light[:40].min() > 0.98, "it lies on the floor"
    behind = light[150:].mean()
    towards_us = cast_shadow(
        alpha, place, AD, Placement(Box(0, 0, 1, 1), SceneLight(0.6 * side, 1.0, towards=-0.6, shadow=0.5))
    )
    assert towards_us[150:].mean() < behind - 0.003, "light from behind casts it forwards"


def test_a_cast_shadow_softens_with_the_height_of_what_casts_it() -> None:
    alpha = np.ones((160, 30), np.float32)
    light = cast_shadow(alpha, Box(200, 60, 230, 220), AD, Placement(Box(0, 0, 1, 1), SceneLight(0.8, 1.0, 0.8, 0.6)))
    shade = 1 - light
    low, high = shade[212], shade[190]
    assert low.max() > 1.3 * high.max()
    assert (np.abs(np.diff(low)).max() / low.max()) > 1.3 * (np.abs(np.diff(high)).max() / high.max())


def test_a_shadow_that_falls_to_the_side_is_as_deep_as_the_product_is_thick() -> None:
    column, pole = np.ones((100, 60), np.float32), np.ones((100, 6), np.float32)
    aside = Placement(Box(0, 0, 1, 1), SceneLight(-0.8, 1.0, 0.0, 0.6), pitch=0.5)
    shaded = [
        (1 - cast_shadow(alpha, Box(100, 50, 100 + alpha.shape[1], 150), AD, aside))[:, 180].sum()
        for alpha in (column, pole)
    ]
    assert shaded[0] > 2.5 * shaded[1] > 0


@pytest.mark.parametrize("softness", [0.4, 2.0])
def test_shadows_are_as_soft_as_the_light(softness: float) -> None:
    alpha, place = np.ones((100, 40), np.float32), Box(130, 50, 170, 150)
    sharp, soft = (
        1 - cast_shadow(alpha, place, AD, Placement(Box(0, 0, 1, 1), SceneLight(0.7, 1.0, 0.4, 0.5, wide)))
        for wide in (softness, 1.5 * softness)
    )
    assert np.abs(np.diff(sharp, axis=1)).max() > 1.15 * np.abs(np.diff(soft, axis=1)).max()


@pytest.mark.parametrize("shape", [(1920, 1080), (250, 300), (90, 728)])
@pytest.mark.parametrize("sigmas", [(3.0, 3.0), (9.0, 4.0), (20.0, 20.0), (45.0, 20.0), (100.0, 100.0)])
def test_a_wide_blur_through_a_smaller_picture_is_the_exact_one(
    shape: tuple[int, int], sigmas: tuple[float, float]
) -> None:
    layer = np.zeros(shape, np.float32)
    height, width = shape
    layer[height // 3 : 2 * height // 3, width // 4 : width // 2] = 1
    layer[height // 2 : height // 2 + 3] = 1
    layer[:, :5] = 0.7
    exact = cv2.GaussianBlur(layer, (0, 0), sigmaX=sigmas[0], sigmaY=sigmas[1])
    assert np.abs(blurred(layer, *sigmas) - exact).max() < 0.006


def test_no_shadow_without_strength() -> None:
    alpha = np.ones((50, 50), np.float32)
    assert cast_shadow(alpha, Box(9, 9, 59, 59), AD, Placement(Box(0, 0, 1, 1), SceneLight(shadow=0.0))).min() == 1


def test_shadows_take_the_scenes_colour_and_only_they() -> None:
    lit = np.array([[1.0, 0.5]], np.float32)
    blue = np.full((4, 4, 3), (0.1, 0.2, 0.6), np.float32)
    shade = tinted(lit, blue)
    assert np.array_equal(shade[0, 0], (1, 1, 1))
    assert shade[0, 1, 2] > shade[0, 1, 1] > shade[0, 1, 0]
    grey = tinted(lit, np.full((4, 4, 3), 0.3, np.float32))
    assert np.allclose(grey[0, 1], 0.5)


def test_a_reflection_is_upside_down_below_the_foot_and_fades() -> None:
    layer = box(100, 40)
    layer[80:, :, 0] = 0.9  # a red foot
    shown = reflection(layer, Box(100, 60, 140, 160), AD, 0.5)
    assert shown[:160].max() == 0
    assert shown[163, 120, 0] > 2 * shown[163, 120, 1]
    assert shown[190, 120, 0] == pytest.approx(shown[190, 120, 1], rel=0.2)
    assert shown[163, 120, 3] > 1.5 * shown[180, 120, 3] > 0
    assert not reflection(layer, Box(100, 150, 140, 250), AD, 0.5).any(), "no room below"


def test_a_shiny_floor_shows_the_product() -> None:
    plain, shiny = (ads(disc_cutout(400), scene(reflectance=share))[0].astype(int) for share in (0.0, 0.4))
    rows = np.nonzero(red_part(plain.astype(np.uint8)))[0]
    below = shiny[rows.max() + 5 : rows.max() + 25]
    assert (below[..., 0] - below[..., 1]).max() > 20
    # The product itself, without the edge, where JPEG mixes colours.
    assert np.abs(plain - shiny)[: rows.max() - 8].max() <= 16


def test_haze_does_not_decide_the_size() -> None:
    hazy = disc_cutout(400)
    hazy[0, 0] = (255, 255, 255, 3)
    hazy[-1, -1] = (255, 255, 255, 3)
    for clean_ad, hazy_ad in zip(ads(disc_cutout(400)), ads(hazy), strict=True):
        assert np.array_equal(red_part(clean_ad), red_part(hazy_ad))


def test_each_size_takes_the_background_of_the_nearest_proportions() -> None:
    wide, tall = scene(), scene(640, 960)
    tall.pixels[:] = (60, 90, 160)
    landscape, portrait, _ = ads(disc_cutout(400), wide, tall)
    assert landscape[2, 2, 2] == pytest.approx(GREY, abs=4)
    assert portrait[2, 2, 2] == pytest.approx(160, abs=4)


@pytest.mark.parametrize(("width", "height"), [(1000, 4), (4, 1000), (1, 1)])
def test_extreme_products_are_placed(width: int, height: int) -> None:
    for ad in ads(np.full((height, width, 4), 255, np.uint8), scene(reflectance=0.3)):
        assert ad.max() == 255


@pytest.mark.parametrize(("width", "height"), [(1, 1), (400, 3), (3, 400)])
def test_the_smallest_backgrounds_are_taken(width: int, height: int) -> None:
    tiny = Scene(np.full((height, width, 3), GREY, np.uint8), Placement(Box(0, 0, width, height)))
    sizes = [Size(600, 50), Size(50, 600), Size(300, 250)]
    assert [ad.shape[:2] for ad in ads(disc_cutout(40), tiny, sizes=sizes)] == [
        (size.height, size.width) for size in sizes
    ]


def test_bad_input_is_told_apart() -> None:
    with pytest.raises(PreconditionError, match="no visible pixel"):
        ads(np.zeros((10, 10, 4), np.uint8))
    with pytest.raises(InvalidInputError, match="alpha channel"):
        ads(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(InvalidInputError, match="outside"):
        ads(disc_cutout(50), Scene(scene().pixels, Placement(Box(0, 0, 801, 100))))


def test_a_good_ad_has_no_flaw_and_a_bad_one_says_which() -> None:
    [good] = creatives(disc_cutout(400), sizes=[AD])
    assert good.quality.flaws == ()
    assert good.quality.contrast > 40
    assert 0.3 < good.quality.fill <= 1
    [faint] = creatives(disc_cutout(400, colour=(GREY, GREY, GREY)), sizes=[AD])
    assert faint.quality.contrast < 8
    [flaw] = faint.quality.flaws
    assert flaw.startswith("300x250: the product hardly stands out from the background")
    [small] = creatives(disc_cutout(400), Scene(scene().pixels, Placement(Box(390, 300, 430, 340))), sizes=[AD])
    [flaw] = small.quality.flaws
    assert flaw.startswith("300x250: the product is shown small")


def test_a_file_that_is_too_heavy_is_a_flaw() -> None:
    picture, place, limits = np.full((250, 300, 3), 0.9, np.float32), Box(100, 50, 190, 200), Limits(file_bytes=2000)
    assert assess(box(150, 90), picture, place, AD, b"x" * 2000, limits).flaws == ()
    assert assess(box(150, 90), picture, place, AD, b"x" * 4001, limits).flaws == (
        "300x250: the file has 4 kB, more than 2 kB.",
    )


@pytest.mark.parametrize("file_format", ["jpeg", "webp"])
def test_the_best_quality_that_fits_is_taken(file_format: str) -> None:
    noise = texture(300, 250)
    fitting = encode_ad(noise, file_format, 60_000)  # type: ignore[arg-type]
    roomier = encode_ad(noise, file_format, 63_000)  # type: ignore[arg-type]
    assert 52_000 < len(fitting) <= 60_000 < len(roomier) <= 63_000
    with pytest.raises(PreconditionError, match="does not fit"):
        encode_ad(texture(800, 800), file_format, 5_000)  # type: ignore[arg-type]


@pytest.mark.parametrize(("file_format", "start"), [("jpeg", b"\xff\xd8"), ("webp", b"RIFF"), ("png", b"\x89PNG")])
def test_ads_are_written_in_the_format_of_the_setting(file_format: str, start: bytes) -> None:
    output = Output(file_format)  # type: ignore[arg-type]
    [made] = compose([scene()], disc_cutout(400), [Order(AD)], output)
    assert made.file.startswith(start)
    assert decoded(made.file).shape == (250, 300, 3)


def test_a_png_is_exact_and_its_size_is_noted() -> None:
    noise = texture(300, 250)
    assert np.array_equal(decoded(encode_ad(noise, "png", 1)), noise)
    [made] = compose([Scene(texture(800, 640), placement())], disc_cutout(400), [Order(Size(336, 280))], Output("png"))
    assert any("more than 150 kB" in flaw for flaw in made.quality.flaws) is (len(made.file) > 150_000)


def test_light_survives_a_round_trip() -> None:
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_srgb(to_linear(values)), values)


@pytest.mark.parametrize("ad", [*EVERY_SIZE, Size(1200, 628), Size(320, 50)], ids=str)
def test_words_stand_beside_the_product_in_any_picture(ad: Size) -> None:
    message = Message("Keeps cold for 24 hours", "Shop now", "$29", "Terms apply.")
    room = Scene(
        np.full((1280, 1600, 3), GREY, np.uint8),
        Placement(Box(1000, 500, 1300, 900), SceneLight(0.5, 0.8, 0.4, 0.4), 0.0),
    )
    [bare] = compose([room], disc_cutout(400), [Order(ad)], Output("png"))
    [made] = compose([room], disc_cutout(400), [Order(ad)], Output("png"), Words(message, Fonts(FOLDER)))
    assert bare.setting is None
    setting = made.setting
    assert setting is not None
    red = red_part(decoded(made.file))
    rows, columns = np.nonzero(red)
    product = setting.product
    assert product.left - 2 <= columns.min() <= columns.max() <= product.right + 2
    assert product.top - 2 <= rows.min() <= rows.max() <= product.bottom + 2
    assert max(product.width / ad.width, product.height / ad.height) > 0.25, "it is not shown small"
    assert not any("hard to read" in note for note in made.quality.notes)


@pytest.mark.parametrize("size", EVERY_SIZE, ids=str)
def test_the_product_in_an_ad_is_that_of_its_photo(size: Size) -> None:
    [creative] = creatives(disc_cutout(700), sizes=[size])
    assert creative.fidelity.largest < 1
    assert creative.fidelity.mean < 2
    assert creative.fidelity.edge < 8


def test_a_product_that_was_changed_is_told() -> None:
    photo = np.dstack([np.full((60, 60, 3), 0.2), np.ones((60, 60))]).astype(np.float32)
    photo[:2] = photo[-2:] = 0.4 * photo[30]
    behind, place = np.full((100, 100, 3), 0.5, np.float32), Box(20, 20, 80, 80)
    true = to_srgb(put(behind, photo, place))
    same = fidelity(photo, behind, place, true, encode_ad(true, "png", 1))
    assert same == Fidelity(0, 0, 0)
    changed = true.copy()
    changed[40, 40] = 255
    told = fidelity(photo, behind, place, changed, encode_ad(true, "png", 1))
    assert told.largest > 40
    assert told.mean == 0
    changed[20:22, 20:80] = 0
    assert fidelity(photo, behind, place, true, encode_ad(changed, "png", 1)).edge > 10
