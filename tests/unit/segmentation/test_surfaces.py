"""What in a picture is a surface, and what a thing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from common.imaging.codec import Mask, Pixels
from services.segmentation.detection.everything import Segment
from services.segmentation.detection.surfaces import find_layout

HEIGHT, WIDTH = 120, 160
WALL, TABLE, FRONT, JAR = (205, 200, 190), (120, 90, 70), (70, 52, 40), (30, 60, 160)


def area(top: int, bottom: int, left: int = 0, right: int = WIDTH) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def scene() -> Pixels:
    picture = np.full((HEIGHT, WIDTH, 3), WALL, np.uint8)
    picture[60:] = TABLE
    picture[95:] = FRONT
    picture[40:80, 70:90] = JAR
    return picture


def test_what_a_thing_stands_on_is_a_surface_up_to_its_front() -> None:
    jar = area(40, 80, 70, 90)
    # The segmenter takes the table and its front for one.
    found = find_layout(
        scene(), [Segment(area(0, 60) & ~jar, 0.9), Segment(area(60, 120) & ~jar, 0.95), Segment(jar, 0.9)]
    )
    [surface] = found.surfaces
    np.testing.assert_array_equal(surface.mask, area(60, 95) & ~jar)
    [thing] = found.things
    np.testing.assert_array_equal(thing, jar)


def test_a_wall_is_no_surface_and_parts_of_a_thing_are_one() -> None:
    lid, jar = area(34, 40, 72, 88), area(40, 80, 70, 90)
    found = find_layout(scene(), [Segment(area(0, 60) & ~jar & ~lid, 1.0), Segment(lid, 0.9), Segment(jar, 0.9)])
    assert found.surfaces == []
    [thing] = found.things
    np.testing.assert_array_equal(thing, jar | lid)


@st.composite
def segments(draw: st.DrawFn) -> tuple[Pixels, list[Segment]]:
    height, width = draw(st.integers(1, 60)), draw(st.integers(1, 60))
    picture = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = []
    for _ in range(draw(st.integers(0, 7))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
        mask = np.zeros((height, width), np.bool_)
        mask[top:bottom, left:right] = True
        found.append(Segment(mask, draw(st.floats(0, 1))))
    return picture, found


@settings(deadline=None, max_examples=150)
@given(there=segments())
def test_whatever_is_segmented_things_and_surfaces_are_apart(there: tuple[Pixels, list[Segment]]) -> None:
    picture, found = there
    layout = find_layout(picture, found)
    for surface in layout.surfaces:
        assert surface.mask.shape == picture.shape[:2]
        assert surface.mask.any()
        assert 0 <= surface.score <= 1
        assert not any((surface.mask & thing).any() for thing in layout.things)
    assert all(thing.any() for thing in layout.things)
