import numpy as np
import pytest

from services.generation.background.user_background import MAX_SIDE, place_in
from services.generation.geometry import Box
from services.generation.placement.calmest import find_placement
from testing.pictures import texture


def room(width: int = 600, height: int = 480, floor: float = 0.6) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Return a picture of a plain wall and a plain floor."""
    picture = np.full((height, width, 3), (215, 205, 190), np.uint8)
    picture[round(floor * height) :] = (140, 100, 70)
    return picture


def inside(zone: Box, picture: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bool:
    height, width = picture.shape[:2]
    return 0 <= zone.left < zone.right <= width and 0 <= zone.top < zone.bottom <= height


def test_in_a_plain_room_the_place_is_in_the_middle_of_the_floor() -> None:
    picture = room()
    zone = find_placement(picture).box
    assert (zone.left + zone.right) / 2 == pytest.approx(300, abs=30)
    assert 0.62 * 480 < zone.bottom < 0.95 * 480
    assert zone.bottom - zone.top > 0.5 * 480


@pytest.mark.parametrize("floor", [0.4, 0.55, 0.7, 0.8])
def test_the_foot_is_on_the_floor(floor: float) -> None:
    assert find_placement(room(floor=floor)).box.bottom > floor * 480


def test_a_soft_line_far_down_is_found_behind_what_stands_before_it() -> None:
    picture = np.full((480, 600, 3), (150, 145, 140), np.uint8)
    shade = np.clip((np.arange(480) - 400) / 20, 0, 1)[:, None, None]
    picture = (picture + shade * (70, 65, 50)).astype(np.uint8)
    picture[60:450, 100:220] = 20
    assert find_placement(picture, 0.45).box.bottom > 410


def test_on_a_table_the_product_stands_behind_its_front_edge() -> None:
    picture = room(floor=0.6)
    picture[round(0.9 * 480) :] = (40, 30, 30)
    assert 0.6 * 480 < find_placement(picture, 0.5).box.bottom < 0.91 * 480


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_is_busy_is_avoided(side: str) -> None:
    picture = room()
    busy = slice(0, 330) if side == "left" else slice(270, 600)
    picture[:, busy] = texture(330, 480)
    zone = find_placement(picture, 0.5).box
    middle = (zone.left + zone.right) / 2
    assert middle > 330 if side == "left" else middle < 270


def test_the_place_has_the_products_proportions() -> None:
    for ratio in (0.3, 1.0, 2.5):
        zone = find_placement(room(), ratio).box
        assert (zone.right - zone.left) / (zone.bottom - zone.top) == pytest.approx(ratio, rel=0.05)


def test_the_light_comes_from_the_brighter_side() -> None:
    picture = (room() * np.linspace(0.4, 1, 600)[None, :, None]).astype(np.uint8)
    assert find_placement(picture).light.right > 0.2
    assert find_placement(picture[:, ::-1].copy()).light.right < -0.2
    assert abs(find_placement(room()).light.right) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (40, 3000), (3000, 40), (7, 9)])
def test_every_picture_has_a_place(size: tuple[int, int]) -> None:
    picture = texture(*size)
    for ratio in (0.0, 0.1, 10.0):
        assert inside(find_placement(picture, ratio).box, picture)


def test_a_large_picture_is_scaled_down_and_nothing_else_changes() -> None:
    large = np.full((1000, 4000, 3), 99, np.uint8)
    assert place_in(large, 0.0).pixels.shape == (MAX_SIDE // 4, MAX_SIDE, 3)
    small = texture(300, 200)
    assert place_in(small, 0.0).pixels is small
