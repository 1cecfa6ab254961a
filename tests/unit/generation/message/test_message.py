"""Words on pictures: where they stand, whether they can be read, and that nothing else changes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import PreconditionError
from common.imaging.codec import Pixels
from common.platforms import platforms
from services.generation.compose.layout import arranged, box_in
from services.generation.geometry import Arrangement, Box, Size
from services.generation.message.colours import CONTRAST, INK, WHITE, contrast, label_on, luminance, reading_on
from services.generation.message.draw import draw, flaws, prepared
from services.generation.message.fonts import Fonts, is_right_to_left
from services.generation.message.layouts import Layout, all_proportions, layouts_for, product_frames, safe_zone
from services.generation.message.lines import NOT_FIRST, broken
from services.generation.message.message import Message
from services.generation.message.setting import Setting, legible
from services.generation.message.words import Words
from services.generation.srgb import Light, to_linear, to_srgb
from services.generation.text import plain
from weights.manifest import FOLDER

FONTS = Fonts(FOLDER)
SIZES = [Size(rule.width, rule.height) for one in platforms().values() for rule in one.pictures]
LOGO = np.full((40, 120, 4), (30, 90, 160, 255), np.uint8)
CHINESE = Message("保溫瓶：24小時保冷", "立即選購", "NT$1,280", "實際商品以官網為準", LOGO)
ENGLISH = Message("Keeps drinks cold for 24 hours", "Shop now", "$29", "Terms apply.")
words = st.text(
    st.sampled_from("保溫瓶小時不鏽鋼，。「」abcdefgh  0123456789,.!?—…éß👨‍👩‍👧مرحبا שלום"), min_size=1, max_size=60
).map(plain)


def width(text: str) -> float:
    return FONTS.face("sans", "bold", 20).width(text)


def set_on(message: Message, ad: Size, ratio: float = 0.6) -> Setting | None:
    product = Size(max(1, round(400 * ratio)), 400)
    return Words(message, FONTS).best(ad, lambda layout, frame: box_in(frame, product, layout.fill, stands=True))


def texture(ad: Size, kind: str) -> Pixels:
    rng = np.random.default_rng(1)
    if kind == "noise":
        return rng.integers(0, 256, (ad.height, ad.width, 3), np.uint8)
    if kind == "checks":
        rows, columns = np.indices((ad.height, ad.width)) // 20
        return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)
    return np.full((ad.height, ad.width, 3), int(kind), np.uint8)


@pytest.mark.parametrize("name", all_proportions())
def test_every_proportion_has_two_layouts(name: str) -> None:
    assert len({layout.name for layout in all_proportions()[name].layouts}) >= 2


@pytest.mark.parametrize("ad", SIZES, ids=str)
@pytest.mark.parametrize("message", [CHINESE, ENGLISH])
def test_words_fit_every_size_of_every_platform(ad: Size, message: Message) -> None:
    setting = set_on(message, ad)
    assert setting is not None
    assert "headline" in {block.element for block in setting.blocks}
    if min(ad.width, ad.height) > 100:
        assert not setting.dropped
    else:
        assert "call_to_action" not in setting.dropped


def apart(one: Box, other: Box) -> bool:
    return one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top


def check(setting: Setting, ad: Size) -> None:
    safe = safe_zone(ad)
    for number, block in enumerate(setting.blocks):
        box = block.box
        assert safe.left <= box.left < box.right <= safe.right, block.element
        assert safe.top <= box.top < box.bottom <= safe.bottom, block.element
        assert apart(box, setting.product), block.element
        assert all(apart(box, other.box) for other in setting.blocks[number + 1 :]), block.element
        if block.face:
            assert block.face.size >= legible(ad)
            assert all(block.face.width(line) <= box.width + 1 for line in block.lines)


@given(
    ad=st.builds(Size, st.integers(50, 1400), st.integers(50, 1400)),
    headline=words,
    call=words.map(lambda text: text[:30]),
    legal=words,
    ratio=st.floats(0.1, 6),
    has_logo=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_words_stay_within_the_safe_zone_and_off_the_product_and_each_other(
    ad: Size, headline: str, call: str, legal: str, ratio: float, has_logo: bool
) -> None:
    message = Message(headline, call, "$5", legal, LOGO if has_logo else None)
    setting = set_on(message, ad, ratio)
    if setting is not None:
        check(setting, ad)


@pytest.mark.parametrize("kind", ["noise", "checks", "0", "90", "128", "200", "255"])
@pytest.mark.parametrize("ad", [Size(300, 250), Size(728, 90), Size(160, 600), Size(1080, 1080)], ids=str)
def test_words_can_be_read_on_anything_and_the_product_stays_as_it_is(ad: Size, kind: str) -> None:
    setting = set_on(CHINESE, ad)
    assert setting is not None
    ground = prepared(to_linear(texture(ad, kind)), setting)
    assert not any("hard to read" in flaw for flaw in flaws(ground))
    before = to_srgb(ground.picture)
    box = setting.product
    before[box.top : box.bottom, box.left : box.right] = 77
    after = draw(before, CHINESE, ground)
    assert (after[box.top : box.bottom, box.left : box.right] == 77).all()
    headline = next(block for block in ground.setting.blocks if block.element == "headline")
    region = (slice(headline.box.top, headline.box.bottom), slice(headline.box.left, headline.box.right))
    changed = np.abs(after[region].astype(int) - before[region]).max(axis=2) > 60
    assert 0.05 < changed.mean() < 0.7
    behind = luminance_of(before[region])
    colour = luminance(ground.readings["headline"].colour)
    worst = np.percentile([contrast(colour, float(value)) for value in behind.ravel()[::7]], 2)
    assert worst >= CONTRAST


def luminance_of(pixels: Pixels) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return np.asarray(to_linear(pixels) @ np.array([0.2126, 0.7152, 0.0722]))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_label_can_be_read_on_any_brand_colour(fill: tuple[int, int, int]) -> None:
    assert contrast(luminance(label_on(fill)), luminance(fill)) >= CONTRAST


def test_a_calm_ground_needs_no_scrim() -> None:
    light, dark = (np.full((9, 9, 3), shade, np.float32) for shade in (0.9, 0.02))
    assert (reading_on([light]).colour, reading_on([light]).scrim) == (INK, 0)
    assert (reading_on([dark]).colour, reading_on([dark]).scrim) == (WHITE, 0)
    assert reading_on([light, dark]).scrim > 0


def test_stories_keep_clear_of_what_the_platform_covers() -> None:
    safe = safe_zone(Size(1080, 1920))
    assert safe.top >= 0.14 * 1920
    assert safe.bottom <= 0.8 * 1920 + 1
    assert safe_zone(Size(1200, 628)) == Box(120, 63, 1080, 565)
    for layout in layouts_for(Size(1080, 1920)).layouts:
        has_words_below = any(area.side == "below" for area in layout.areas)
        for frame in product_frames(layout, Size(1080, 1920)):
            assert frame.bottom <= (safe.bottom if has_words_below else 0.93 * 1920)


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("保溫瓶：24小時保冷", 120, ["保溫瓶：", "24小時保冷"]),
        ("月光檯燈：三段調光", 110, ["月光檯燈：", "三段調光"]),
        ("Keeps drinks cold for 24 hours", 190, ["Keeps drinks", "cold for 24 hours"]),
        ("Supercalifragilistic", 20, None),
        ("陶杯：容量300毫升，二次燒製", 220, ["陶杯：容量300毫升，", "二次燒製"]),
        ("原野包：上蠟帆布，兩個口袋", 180, ["原野包：", "上蠟帆布，兩個口袋"]),
        ("原野包：上蠟帆布，兩個口袋", 145, ["原野包：上蠟", "帆布，兩個口袋"]),
    ],
)
def test_lines_break_between_words_and_phrases(text: str, room: float, lines: list[str] | None) -> None:
    assert broken(text, room, 4, width) == lines


@given(text=words, room=st.integers(60, 400))
@settings(deadline=None)
def test_no_line_begins_with_a_mark_or_is_too_long(text: str, room: int) -> None:
    lines = broken(text, room, 6, width) if text else None
    for line in lines or []:
        assert width(line) <= room + 1
    for line in (lines or [])[1:]:
        assert line[0] not in NOT_FIRST
    if lines:
        assert "".join("".join(lines).split()) == "".join(text.split())


SHORT = Message("Stoneware mug", "Shop now", layout="left")


def set_left(ad: Size) -> Setting:
    setting = Words(SHORT, FONTS).best(
        ad, lambda layout, frame: box_in(frame, Size(200, 400), layout.fill, stands=True)
    )
    assert setting is not None
    return setting


def half_dark(ad: Size, share: float) -> Pixels:
    """Return a bright picture whose lower part, a table, is dark."""
    picture = np.full((ad.height, ad.width, 3), 225, np.uint8)
    picture[round(ad.height * (1 - share)) :] = (90, 45, 25)
    return picture


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.6, 0.7])
@pytest.mark.parametrize("ad", [Size(300, 250), Size(336, 280), Size(1200, 628)], ids=str)
def test_words_across_an_edge_move_off_it_before_the_picture_is_veiled(ad: Size, share: float) -> None:
    setting = set_left(ad)
    picture = to_linear(half_dark(ad, share))
    stays = {block.element: block for block in setting.blocks}
    ground = prepared(picture, setting)
    moved = {block.element: block for block in ground.setting.blocks}
    assert moved.keys() == stays.keys()
    shifts = {moved[name].box.top - stays[name].box.top for name in moved}
    assert len(shifts) == 1, "they move as one"
    check(ground.setting, ad)
    headline = moved["headline"].box
    edge = round(ad.height * (1 - share))
    crossed = stays["headline"].box.top < edge < stays["headline"].box.bottom
    room = headline.bottom - headline.top
    if crossed and (edge > room + 0.12 * ad.height or ad.height - edge > room + 0.4 * ad.height):
        assert not headline.top < edge < headline.bottom
    veiled = float(np.abs(ground.picture - picture).mean())
    assert veiled <= float(np.abs(prepared_in_place(picture, setting) - picture).mean()) + 1e-6


def prepared_in_place(picture: Light, setting: Setting) -> Light:
    """Return what `prepared` makes of a picture when words cannot move: the room is just as high as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.generation.message.draw.PLACES", 0)
        return prepared(picture, setting).picture


def test_a_button_is_seen_on_what_has_the_colour_of_the_words() -> None:
    ad = Size(300, 250)
    setting = set_left(ad)
    button = next(block for block in setting.blocks if block.element == "call_to_action")
    picture = np.full((ad.height, ad.width, 3), 235, np.uint8)
    picture[button.box.top - 2 :] = 22
    ground = prepared(to_linear(picture), setting)
    box = next(block for block in ground.setting.blocks if block.element == "call_to_action").box
    drawn = draw(to_srgb(ground.picture), SHORT, ground)
    inside = luminance_of(drawn[box.top + 3 : box.bottom - 3, box.left + 8 : box.right - 8])
    around = luminance_of(to_srgb(ground.picture)[box.top : box.bottom, box.left : box.right])
    assert contrast(float(np.median(inside)), float(np.median(around))) > 1.3


@pytest.mark.parametrize("text", ["مرحبا بالعالم", "שלום עולם", "Hi 👨‍👩‍👧 there ❤️", "保溫瓶 قارورة Flask"])
def test_every_script_and_emoji_is_drawn(text: str) -> None:
    ad = Size(600, 400)
    message = Message(text)
    setting = set_on(message, ad)
    assert setting is not None
    ground = prepared(to_linear(texture(ad, "255")), setting)
    drawn = draw(to_srgb(ground.picture), message, ground)
    assert (drawn < 100).any()
    check(setting, ad)


def test_what_runs_from_right_to_left_is_known() -> None:
    assert is_right_to_left("مرحبا")
    assert not is_right_to_left("24 hours")


def test_larger_rooms_get_larger_words() -> None:
    small, large = set_on(CHINESE, Size(300, 250)), set_on(CHINESE, Size(1200, 1000))
    assert small is not None
    assert large is not None
    assert large.size > 2.5 * small.size


def test_a_layout_can_be_chosen_by_name() -> None:
    for name in ("left", "right", "top"):
        setting = set_on(replace(CHINESE, layout=name), Size(300, 250))
        assert setting is not None
        assert setting.layout.name == name


@pytest.mark.parametrize("ad", [Size(320, 480), Size(1080, 1350), Size(1080, 1920)])
def test_what_the_words_leave_is_the_products(ad: Size) -> None:
    few, many = set_on(Message("Keeps drinks cold"), ad, 1.2), set_on(CHINESE, ad, 1.2)
    assert few is not None
    assert many is not None
    assert few.product.height > many.product.height or few.size > 1.2 * many.size


@pytest.mark.parametrize("scale", [0.8, 1.15])
def test_a_product_that_is_moved_keeps_its_layout(scale: float) -> None:
    def placed(layout: Layout, frame: Box) -> Box:
        return box_in(frame, Size(200, 400), layout.fill, stands=True)

    ad, words = Size(300, 250), Words(SHORT, FONTS)
    stays = words.best(ad, placed)
    moved = words.best(ad, placed, lambda box: arranged(box, Arrangement(scale=scale), ad))
    assert stays is not None
    assert moved is not None
    assert (moved.layout, moved.frame) == (stays.layout, stays.frame)
    assert moved.product.height == pytest.approx(scale * stays.product.height, abs=1)


def test_without_fonts_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="weights fetch") as caught:
        Words(CHINESE, Fonts(tmp_path)).best(Size(300, 250), lambda _layout, frame: frame)
    assert caught.value.reason == "NO_FONTS"


def test_a_damaged_font_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_bytes((FOLDER / "manifest.toml").read_bytes())
    (tmp_path / "Inter-Bold.ttf").write_bytes(b"\0\1\0\0")
    with pytest.raises(ValueError, match=r"Inter-Bold\.ttf is damaged"):
        Fonts(tmp_path)
