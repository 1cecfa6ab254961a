import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.imaging.codec import Mask, Pixels
from services.generation.geometry import Box, Size
from services.generation.placement.found import Found, Thing
from services.generation.placement.place import NO_SURFACE, SEEN_FROM_ABOVE, SEEN_LEVEL, is_in_the_way, place_product
from services.generation.placement.placement import Placement, SceneLight

SIDE = 600
ZONE = Box(100, 50, 500, 450)
GUESS = Placement(ZONE, estimated=True)
ASKED = Placement(ZONE, estimated=True, stand_in=True)
TABLE = Box(0, 360, 600, 560)


def picture() -> Pixels:
    pixels = np.full((SIDE, SIDE, 3), 120, np.uint8)
    pixels[TABLE.top : TABLE.bottom] = 190
    return pixels


def mask_of(box: Box) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[box.top : box.bottom, box.left : box.right] = True
    return mask


def on_table(*boxes: Box, table: Box = TABLE) -> Found:
    surface = mask_of(table)
    for box in boxes:
        surface &= ~mask_of(box)
    return Found([Thing(mask_of(box)) for box in boxes], [surface])


def overlap(one: Box, other: Box) -> int:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0, across) * max(0, down)


@pytest.mark.parametrize("ratio", [0.35, 1.0, 1.8])
@pytest.mark.parametrize(
    "things",
    [
        (Box(40, 240, 140, 440), Box(430, 260, 560, 470)),
        (Box(200, 300, 300, 480),),
        (Box(60, 330, 120, 420), Box(300, 300, 340, 430), Box(400, 280, 480, 400)),
    ],
)
def test_the_product_stands_on_the_surface_beside_what_is_there(ratio: float, things: tuple[Box, ...]) -> None:
    placed = place_product(picture(), on_table(*things), GUESS, ratio, "standing")
    box = placed.placement.box
    assert TABLE.top < box.bottom <= TABLE.bottom
    assert placed.removed == ()
    assert placed.notes == ()
    for thing in things:
        hidden = overlap(box, thing) / (box.width * box.height)
        assert hidden <= (0.01 if thing.bottom > box.bottom else 0.12) + 0.02


def test_the_higher_on_the_surface_the_smaller() -> None:
    deep = Box(0, 200, 600, 600)
    blocked = [Box(0, 150, 600, 395)], [Box(0, 440, 600, 600)]
    near, far = (
        place_product(picture(), on_table(*things, Box(240, 280, 360, 420), table=deep), GUESS, 1.0, "standing")
        for things in blocked
    )
    assert near.placement.box.bottom > far.placement.box.bottom
    assert near.placement.box.width > 1.1 * far.placement.box.width


def test_the_product_is_as_large_as_its_company() -> None:
    small, large = (Box(60, 410 - side, 60 + side, 410) for side in (70, 140))
    beside_small, beside_large = (
        place_product(picture(), on_table(thing), GUESS, 1.0, "standing").placement.box for thing in (small, large)
    )
    assert beside_large.width > 1.3 * beside_small.width


def test_only_what_stands_in_the_single_sensible_place_is_removed() -> None:
    pillar = Box(250, 200, 350, 535)
    walls = Box(0, 100, 190, 600), Box(410, 100, 600, 600)
    placed = place_product(picture(), on_table(*walls, pillar), GUESS, 0.5, "standing")
    assert placed.removed == (2,)
    assert overlap(placed.placement.box, pillar) > 0


def test_without_a_surface_the_product_stands_where_it_is_calm_and_that_is_noted() -> None:
    empty = place_product(picture(), Found(), GUESS, 0.8, "standing")
    assert empty.notes == ()
    assert empty.placement.box.is_within(Size(SIDE, SIDE))
    lamp = Box(220, 80, 380, 560)
    beside = place_product(picture(), Found([Thing(mask_of(lamp))]), GUESS, 0.4, "standing")
    assert beside.notes == (NO_SURFACE,)
    assert beside.removed == (0,) or overlap(beside.placement.box, lamp) == 0


def test_a_picture_from_another_angle_is_noted() -> None:
    from_above = Box(0, 20, 600, 600)
    assert place_product(picture(), on_table(table=from_above), GUESS, 0.5, "standing").notes == (SEEN_LEVEL,)
    assert place_product(picture(), on_table(table=from_above), GUESS, 0.5, "lying").notes == ()
    level = Box(0, 480, 600, 600)
    assert place_product(picture(), on_table(table=level), GUESS, 0.5, "lying").notes == (SEEN_FROM_ABOVE,)


@pytest.mark.parametrize("side", [-1, 1])
def test_shadows_fall_as_those_in_the_picture(side: int) -> None:
    things = Box(100, 260, 170, 420), Box(420, 280, 490, 440)
    pixels = picture()
    for thing in things:
        start, end = (thing.right, thing.right + 80) if side < 0 else (thing.left - 80, thing.left)
        pixels[thing.bottom - 26 : thing.bottom - 4, start:end] = 90
    light = place_product(pixels, on_table(*things), GUESS, 0.6, "standing").placement.light
    assert light.right * side > 0.2
    assert light.shadow > 0.3


def test_without_shadows_the_light_stays_the_guess() -> None:
    known = Placement(ZONE, SceneLight(right=0.3, shadow=0.2))
    assert place_product(picture(), on_table(), known, 0.6, "standing").placement.light == known.light


@st.composite
def crowded(draw: st.DrawFn) -> tuple[Size, Found]:
    size = Size(draw(st.integers(9, 400)), draw(st.integers(9, 400)))

    def masks(most: int) -> list[Mask]:
        made = []
        for _ in range(draw(st.integers(0, most))):
            left, top = draw(st.integers(0, size.width - 1)), draw(st.integers(0, size.height - 1))
            right, bottom = draw(st.integers(left + 1, size.width)), draw(st.integers(top + 1, size.height))
            mask = np.zeros((size.height, size.width), np.bool_)
            mask[top:bottom, left:right] = True
            made.append(mask)
        return made

    return size, Found([Thing(mask) for mask in masks(4)], masks(3))


def test_a_thing_of_one_pixel_in_the_way_leaves_room_for_the_product() -> None:
    mask = np.zeros((9, 9), np.bool_)
    mask[8, 0] = True
    default = Placement(Box(0, 0, 9, 9), estimated=True)
    placed = place_product(np.full((9, 9, 3), 99, np.uint8), Found([Thing(mask)], []), default, 2.0, "large")
    assert placed.placement.box.is_within(Size(9, 9))


@settings(deadline=None, max_examples=60)
@given(there=crowded(), ratio=st.floats(0.1, 10), stand_in=st.booleans())
def test_wherever_the_product_goes_it_is_in_the_picture(
    there: tuple[Size, Found], ratio: float, *, stand_in: bool
) -> None:
    size, found = there
    default = Placement(Box(0, 0, size.width, size.height), estimated=True, stand_in=stand_in)
    placed = place_product(np.full((size.height, size.width, 3), 99, np.uint8), found, default, ratio, "large")
    assert placed.placement.box.is_within(size)
    assert all(number < len(found.things) for number in placed.removed)
    assert 0 <= placed.placement.light.shadow <= 1


@pytest.mark.parametrize(
    ("box", "in_the_way"),
    [
        (Box(250, 300, 350, 452), True),
        (Box(250, 300, 350, 520), True),
        (Box(120, 60, 480, 300), False),  # an arch behind
        (Box(10, 300, 110, 450), False),  # a prop beside
        (Box(0, 400, 600, 470), False),  # the podium itself
        (Box(250, 500, 350, 580), False),  # something in front
    ],
)
def test_what_takes_the_products_place_is_in_the_way(box: Box, in_the_way: bool) -> None:
    assert is_in_the_way(box, ZONE) is in_the_way


def test_what_was_asked_for_gives_the_product_its_place_and_its_size() -> None:
    far, cut_off = Box(180, 100, 260, 320), Box(0, 100, 260, 600)
    found = Found([Thing(mask_of(cut_off)), Thing(mask_of(far))])
    placed = place_product(picture(), found, ASKED, 0.5, "standing")
    box = placed.placement.box
    assert placed.removed == (1,)
    assert box.bottom == far.bottom
    assert abs((box.left + box.right) / 2 - 220) <= 1
    assert abs(box.width * box.height / (far.width * far.height) - 1) < 0.1
