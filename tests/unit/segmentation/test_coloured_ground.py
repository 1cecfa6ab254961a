"""Openings before a ground of many colours: wheels before a forest open, and nothing opens by a chance likeness."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.coloured_ground import open_coloured_ground

SIDE = 600
FOREST = ((60, 110, 40), (110, 150, 60), (150, 170, 90), (90, 70, 45), (170, 140, 100), (40, 70, 35), (190, 200, 150))
WHEELS, RADIUS = ((160, 320), (440, 320)), 110


def ground(colours: tuple[tuple[int, int, int], ...] = FOREST) -> Pixels:
    """Return soft patches of some colours."""
    rng = np.random.default_rng(3)
    patches = np.asarray(colours, np.uint8)[rng.integers(0, len(colours), (24, 24))]
    return np.asarray(cv2.GaussianBlur(cv2.resize(patches, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), (0, 0), 4))


def cycle(picture: Pixels, wheels: Sequence[tuple[int, int]] = WHEELS) -> tuple[Pixels, Mask, Mask]:
    """Return a picture of spoked wheels on a frame, the mask with whole discs, and what is really there."""
    painted, there = picture.copy(), np.zeros((SIDE, SIDE), np.uint8)
    for centre in wheels:
        for spoke in range(12):
            angle = spoke * math.pi / 6 + 0.1
            end = (round(centre[0] + RADIUS * math.cos(angle)), round(centre[1] + RADIUS * math.sin(angle)))
            cv2.line(there, centre, end, 1, 2)
        cv2.circle(there, centre, RADIUS, 1, 24)
        cv2.circle(there, centre, 18, 1, -1)
    painted[there > 0] = (24, 24, 26)
    cv2.rectangle(painted, (150, 180), (450, 204), (200, 20, 30), -1)
    cv2.rectangle(there, (150, 180), (450, 204), 1, -1)
    mask = there.copy()
    for centre in wheels:
        cv2.circle(mask, centre, RADIUS, 1, -1)
    return painted, mask > 0, there > 0


def test_a_forest_between_spokes_is_opened_and_the_spokes_stay() -> None:
    picture, mask, there = cycle(ground())
    opened = open_coloured_ground(picture, mask)
    gaps = mask & ~there
    assert opened[gaps].mean() < 0.15
    inside = np.zeros((SIDE, SIDE), np.uint8)
    for centre in WHEELS:
        cv2.circle(inside, centre, RADIUS - 20, 1, -1)
    spokes = there & (inside > 0)
    assert opened[spokes].mean() > 0.8
    assert opened[there & ~spokes].mean() > 0.99


def test_one_region_may_be_alike_by_chance() -> None:
    picture, mask, _ = cycle(ground(), WHEELS[:1])
    label = np.roll(ground(), 50, axis=0)[210:430, 50:270]
    picture[210:430, 50:270], mask[210:430, 50:270] = label, True
    assert (open_coloured_ground(picture, mask) == mask).all()


@pytest.mark.parametrize(
    "colours",
    [((235, 235, 233),), ((120, 120, 120), (90, 90, 90), (150, 150, 150), (60, 60, 60), (200, 200, 200))],
    ids=["plain", "grey"],
)
def test_a_ground_that_proves_nothing_opens_nothing(colours: tuple[tuple[int, int, int], ...]) -> None:
    picture, mask, _ = cycle(ground(colours))
    assert (open_coloured_ground(picture, mask) == mask).all()


@pytest.mark.parametrize("colour", [*FOREST, (250, 250, 250)])
def test_a_label_in_one_colour_of_the_ground_stays(colour: tuple[int, int, int]) -> None:
    picture, mask = ground(), np.zeros((SIDE, SIDE), np.bool_)
    mask[100:540, 180:420] = True
    picture[mask] = (24, 60, 140)
    picture[220:430, 200:400] = colour
    assert open_coloured_ground(picture, mask)[220:430, 200:400].all()


def test_a_plant_before_plants_stays() -> None:
    picture, mask = ground(), np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(mask, (300, 220), 150, 1, -1)
    mask[360:540, 230:370] = 1
    picture[360:540, 230:370] = (150, 80, 50)
    leaves = np.roll(picture, 97, axis=1)
    picture[:360][mask[:360] > 0] = leaves[:360][mask[:360] > 0]
    opened = open_coloured_ground(picture, mask > 0)
    assert opened[mask > 0].mean() > 0.99


def test_nothing_happens_without_ground() -> None:
    picture = ground()
    everything = np.ones((SIDE, SIDE), np.bool_)
    assert open_coloured_ground(picture, everything).all()
    assert not open_coloured_ground(picture, ~everything).any()
