import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.pipelines.clearing import mask_of, obstacles, placement_for, standing_place, stands_in_the_way
from gateway.pipelines.shadow import shadow_of
from gateway.settings import GatewaySettings
from productimage.generation.v1.generation_pb2 import Placement
from productimage.image.v1.image_pb2 import Box
from productimage.segmentation.v1.segmentation_pb2 import FoundObject
from services.runtime.image import to_message, to_pixels
from services.runtime.settings import ImageLimits

ZONE = Box(left=100, top=50, right=500, bottom=450)
KNOWN = Placement(zone=ZONE)
GUESS = Placement(zone=ZONE, estimated=True)


@pytest.mark.parametrize(
    ("box", "in_the_way"),
    [
        (Box(left=250, top=300, right=350, bottom=452), True),
        (Box(left=250, top=300, right=350, bottom=480), True),
        (Box(left=120, top=60, right=480, bottom=400), False),  # an arch that rises behind
        (Box(left=10, top=300, right=110, bottom=450), False),  # a prop beside
        (Box(left=0, top=400, right=600, bottom=470), False),  # the podium itself
        (Box(left=250, top=500, right=350, bottom=580), False),  # something in front
    ],
)
def test_what_takes_the_products_place_is_in_the_way(box: Box, in_the_way: bool) -> None:
    assert stands_in_the_way(box, KNOWN) is in_the_way


def test_the_masks_of_all_in_the_way_are_joined() -> None:
    masks = np.zeros((3, 600, 600), np.uint8)
    masks[0, 300:450, 200:250] = masks[1, 300:450, 300:350] = masks[2, 0:50, 0:50] = 255
    boxes = [
        Box(left=200, top=300, right=250, bottom=450),
        Box(left=300, top=300, right=350, bottom=450),
        Box(left=0, top=0, right=50, bottom=50),
    ]
    found = [FoundObject(box=box, mask=to_message(mask)) for box, mask in zip(boxes, masks, strict=True)]
    picture = to_message(np.full((600, 600, 3), 200, np.uint8))
    joined = mask_of(obstacles(found, KNOWN, picture), picture, GatewaySettings())
    wanted = masks[0] | masks[1]
    found_mask = to_pixels(joined, ImageLimits())
    assert (found_mask[wanted > 0] == 255).all()
    # A fringe of 2 % of the picture goes with them, and no more.
    rows, columns = np.nonzero(found_mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (288, 461, 188, 361)
    assert obstacles(found[2:], KNOWN, picture) == []


def test_where_the_place_is_a_guess_what_stands_near_tells_a_better_one() -> None:
    box = Box(left=350, top=300, right=480, bottom=520)
    found, picture = FoundObject(box=box), to_message(np.zeros((600, 600, 3), np.uint8))
    assert obstacles([found], KNOWN, picture) == []
    assert obstacles([found], GUESS, picture) == [found]
    moved = placement_for([found], GUESS, picture)
    assert moved.zone == Box(left=230, top=120, right=600, bottom=520)
    assert placement_for([], GUESS, picture) == GUESS
    assert placement_for([found], KNOWN, picture) == KNOWN


def test_what_was_asked_for_gives_the_product_its_place_wherever_it_stands() -> None:
    picture = to_message(np.zeros((600, 600, 3), np.uint8))
    far = FoundObject(box=Box(left=180, top=100, right=260, bottom=320))
    cut_off = FoundObject(box=Box(left=0, top=100, right=260, bottom=600))
    asked = Placement(zone=ZONE, estimated=True, stand_in=True)
    assert obstacles([cut_off, far], GUESS, picture) == []
    assert obstacles([cut_off, far], asked, picture) == [far]
    moved = placement_for([far], asked, picture)
    assert (moved.zone.bottom, (moved.zone.left + moved.zone.right) // 2) == (320, 220)


def test_the_place_looked_at_is_above_the_foot() -> None:
    place = standing_place(ZONE)
    assert place.x == 300
    assert 380 < place.y < 450


def scene(*, shadow: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """A red disc that stands on a cream floor before a green wall, its mask, and where its shadow falls."""
    y, x = np.mgrid[:400, :600]
    picture = np.where((y < 200)[..., None], (90, 120, 80), (240, 225, 200)).astype(float)
    falls = np.hypot((x - 350) / 90, (y - 300) / 22) < 1
    picture[falls] *= shadow
    disc = np.hypot(x - 300, y - 250) < 55
    picture[disc] = (190, 30, 30)
    return picture.astype(np.uint8), np.where(disc, 255, 0).astype(np.uint8), falls & ~disc


@pytest.mark.parametrize("light", [0.5, 0.75, 0.88])
def test_a_shadow_goes_with_its_object(light: float) -> None:
    picture, mask, falls = scene(shadow=light)
    found = shadow_of(picture, mask) > 0
    near = falls & (np.arange(600) < 425)[None]
    assert found[near].mean() > 0.97
    # No more than its soft edge around it.
    assert (found & ~falls & (mask == 0)).sum() < 0.6 * falls.sum()
    assert not found[:190].any()


def test_without_a_shadow_nothing_more_goes() -> None:
    picture, mask, _ = scene(shadow=1)
    assert not shadow_of(picture, mask).any()


def test_a_dark_floor_all_around_is_no_shadow() -> None:
    picture, mask, _ = scene(shadow=1)
    picture[250:, :] = picture[250:, :] // 2
    picture[mask > 0] = (190, 30, 30)
    assert shadow_of(picture, mask).mean() < 0.1 * mask.mean()


def test_an_object_that_fills_the_picture_casts_none() -> None:
    assert not shadow_of(np.zeros((50, 50, 3), np.uint8), np.full((50, 50), 255, np.uint8)).any()
