import pytest

from gateway.pipelines.obstacles import find_obstacles, is_in_the_way, move_to_obstacle, standing_point
from productimage.generation.v1.generation_pb2 import Placement
from productimage.image.v1.image_pb2 import Box, RawPixels, Region
from productimage.segmentation.v1.segmentation_pb2 import FoundObject

ZONE = Box(left=100, top=50, right=500, bottom=450)
KNOWN = Placement(box=ZONE)
GUESS = Placement(box=ZONE, estimated=True)
PICTURE = RawPixels(width=600, height=600)


def found_at(box: Box) -> FoundObject:
    return FoundObject(region=Region(box=box))


@pytest.mark.parametrize(
    ("box", "in_the_way"),
    [
        (Box(left=250, top=300, right=350, bottom=452), True),
        (Box(left=250, top=300, right=350, bottom=480), True),
        (Box(left=120, top=60, right=480, bottom=400), False),  # an arch behind
        (Box(left=10, top=300, right=110, bottom=450), False),  # a prop beside
        (Box(left=0, top=400, right=600, bottom=470), False),  # the podium itself
        (Box(left=250, top=500, right=350, bottom=580), False),  # something in front
    ],
)
def test_what_takes_the_products_place_is_in_the_way(box: Box, in_the_way: bool) -> None:
    assert is_in_the_way(box, KNOWN) is in_the_way


def test_only_what_is_in_the_way_is_an_obstacle() -> None:
    found = [
        found_at(Box(left=200, top=300, right=250, bottom=450)),
        found_at(Box(left=300, top=300, right=350, bottom=450)),
        found_at(Box(left=0, top=0, right=50, bottom=50)),
    ]
    assert find_obstacles(found, KNOWN, PICTURE) == [one.region for one in found[:2]]


def test_where_the_place_is_a_guess_what_stands_near_tells_a_better_one() -> None:
    box = Box(left=350, top=300, right=480, bottom=520)
    found = found_at(box)
    assert find_obstacles([found], KNOWN, PICTURE) == []
    assert find_obstacles([found], GUESS, PICTURE) == [found.region]
    moved = move_to_obstacle([found.region], GUESS, PICTURE)
    assert moved.box == Box(left=230, top=120, right=600, bottom=520)
    assert move_to_obstacle([], GUESS, PICTURE) == GUESS
    assert move_to_obstacle([found.region], KNOWN, PICTURE) == KNOWN


def test_what_was_asked_for_gives_the_product_its_place_wherever_it_stands() -> None:
    far = found_at(Box(left=180, top=100, right=260, bottom=320))
    cut_off = found_at(Box(left=0, top=100, right=260, bottom=600))
    asked = Placement(box=ZONE, estimated=True, stand_in=True)
    assert find_obstacles([cut_off, far], GUESS, PICTURE) == []
    assert find_obstacles([cut_off, far], asked, PICTURE) == [far.region]
    moved = move_to_obstacle([far.region], asked, PICTURE)
    assert (moved.box.bottom, (moved.box.left + moved.box.right) // 2) == (320, 220)


def test_the_place_looked_at_is_above_the_foot() -> None:
    place = standing_point(ZONE)
    assert place.x == 300
    assert 380 < place.y < 450
