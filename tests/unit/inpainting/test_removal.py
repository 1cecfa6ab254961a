import numpy as np
import pytest

from common.imaging.codec import Mask, Pixels
from services.inpainting.engines.telea import Telea
from services.inpainting.fill.fill import FillOptions
from services.inpainting.removal.removal import removal_mask, remove_objects
from services.inpainting.removal.shadow_detection import detect_shadow

FRINGE = 0.02


def test_the_masks_of_all_objects_are_joined_with_a_fringe() -> None:
    masks = np.zeros((2, 600, 600), np.bool_)
    masks[0, 300:450, 200:250] = masks[1, 300:450, 300:350] = True
    joined = removal_mask(np.full((600, 600, 3), 200, np.uint8), list(masks), FRINGE)
    assert joined[masks.any(axis=0)].all()
    # The mask includes a fringe of 2 % of the longer side, and no more.
    rows, columns = np.nonzero(joined)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (288, 461, 188, 361)


def test_objects_go_and_the_rest_stays_byte_for_byte() -> None:
    picture, mask, _ = scene(shadow=0.5)
    cleared = remove_objects(picture, [mask], Telea(), FillOptions(0.01, 1.5, 4), FRINGE)
    changed = removal_mask(picture, [mask], FRINGE)
    assert np.array_equal(cleared[~changed], picture[~changed])
    assert (np.abs(cleared[mask].astype(int) - (190, 30, 30)).sum(axis=-1) > 60).mean() > 0.99
    assert remove_objects(picture, [], Telea(), FillOptions(0.01, 1.5, 4), FRINGE) is picture


def scene(*, shadow: float) -> tuple[Pixels, Mask, Mask]:
    """Return a red disc on a cream floor before a green wall, its mask, and the region of its shadow."""
    y, x = np.mgrid[:400, :600]
    picture = np.where((y < 200)[..., None], (90, 120, 80), (240, 225, 200)).astype(float)
    falls = np.hypot((x - 350) / 90, (y - 300) / 22) < 1
    picture[falls] *= shadow
    disc = np.hypot(x - 300, y - 250) < 55
    picture[disc] = (190, 30, 30)
    return picture.astype(np.uint8), disc, falls & ~disc


@pytest.mark.parametrize("light", [0.5, 0.75, 0.88])
def test_a_shadow_goes_with_its_object(light: float) -> None:
    picture, mask, falls = scene(shadow=light)
    found = detect_shadow(picture, mask)
    near = falls & (np.arange(600) < 425)[None]
    assert found[near].mean() > 0.97
    # Around the shadow, at most its soft edge.
    assert (found & ~falls & ~mask).sum() < 0.6 * falls.sum()
    assert not found[:190].any()


def test_without_a_shadow_nothing_more_goes() -> None:
    picture, mask, _ = scene(shadow=1)
    assert not detect_shadow(picture, mask).any()


def test_a_dark_floor_all_around_is_no_shadow() -> None:
    picture, mask, _ = scene(shadow=1)
    picture[250:, :] = picture[250:, :] // 2
    picture[mask] = (190, 30, 30)
    assert detect_shadow(picture, mask).mean() < 0.1 * mask.mean()


def test_an_object_that_fills_the_picture_casts_none() -> None:
    assert not detect_shadow(np.zeros((50, 50, 3), np.uint8), np.ones((50, 50), np.bool_)).any()
