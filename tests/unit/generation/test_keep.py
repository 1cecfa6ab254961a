import numpy as np

from services.generation.compose.compose import Scene
from services.generation.compose.keep import MOST_PIXELS, keep
from services.generation.geometry import Box
from services.generation.placement.placement import Placement
from testing.pictures import decoded


def test_a_background_is_kept_with_its_placement() -> None:
    pixels = np.full((60, 80, 3), (200, 120, 40), np.uint8)
    placement = Placement(Box(10, 20, 30, 50), reflectance=0.3)
    kept = keep(Scene(pixels, placement))
    assert kept.placement == placement
    assert np.abs(decoded(kept.file).astype(int) - pixels).max() < 4


def test_a_large_one_is_reduced_and_so_is_its_placement() -> None:
    pixels = np.zeros((3000, 5000, 3), np.uint8)
    pixels[1500:, 2500:] = 255
    kept = keep(Scene(pixels, Placement(Box(2500, 1500, 5000, 3000))))
    height, width, _ = decoded(kept.file).shape
    assert width * height <= MOST_PIXELS * 1.001
    box = kept.placement.box
    assert (box.left, box.top, box.right, box.bottom) == (width // 2, height // 2, width, height)


def test_a_box_of_a_pixel_stays_one() -> None:
    kept = keep(Scene(np.zeros((4000, 4000, 3), np.uint8), Placement(Box(3999, 3999, 4000, 4000))))
    assert kept.placement.box.width == kept.placement.box.height == 1
