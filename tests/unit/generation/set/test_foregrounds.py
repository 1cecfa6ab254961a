"""What stands in a set besides the product: nothing of it may show that is not meant to."""

import numpy as np
import pytest

from services.generation.engines.set.camera import Camera
from services.generation.engines.set.description import SetDescription, all_sets
from services.generation.engines.set.foregrounds import OUT_OF_SIGHT, Stand, shade_of
from services.generation.engines.set.horizon import smooth_horizon

SIZES = [(300, 250), (160, 600), (1080, 1920), (1200, 628), (970, 250), (970, 90), (320, 50)]
SHADED = [photo_set for photo_set in all_sets().values() if photo_set.shade]


@pytest.mark.parametrize("photo_set", SHADED, ids=lambda photo_set: photo_set.name)
@pytest.mark.parametrize("mirrored", [False, True])
def test_what_throws_shadows_is_out_of_every_picture(photo_set: SetDescription, mirrored: bool) -> None:
    for width, height in SIZES:
        camera = Camera(width, height, 0.84 * height, photo_set.pitch or 0.13)
        shade = shade_of(photo_set, np.random.default_rng(7), camera, mirrored=mirrored)
        assert shade is not None
        assert camera.misses(shade.vertices)


def test_a_camera_sees_what_is_before_it() -> None:
    camera = Camera(300, 250, 210, 0.13)
    assert not camera.misses(np.array([(0.0, 0, 0), (0, 1, 0)]))
    assert not camera.misses(np.array([(-9.0, 0, 0), (9, 0, 0)])), "what crosses it is in it"
    assert camera.misses(np.array([(3.0, 0, 0), (9, 0, 0)]))
    assert camera.misses(np.array([(0.0, 0, 9), (0, 1, 12)]))


@pytest.mark.parametrize(
    ("below", "nearest", "edge"),
    [(0.4, 3.0, 1.0), (0.4, 1.5, OUT_OF_SIGHT), (0.9, 5.0, OUT_OF_SIGHT)],
    ids=["well seen", "a sliver", "too much below"],
)
def test_a_front_edge_shows_whole_or_not_at_all(below: float, nearest: float, edge: float) -> None:
    assert Stand(0, 0.3, 1, below, nearest).front(1.0) == edge


def test_the_grain_of_a_far_edge_is_averaged_along_it() -> None:
    rng = np.random.default_rng(5)
    cover = np.ones((60, 200), np.float32)
    cover[:20] = 0
    cover[19:22] = rng.random((3, 200)) < [[0.2], [0.5], [0.8]]
    traced = np.repeat(cover[..., None], 10, axis=2)
    product = np.zeros((60, 200), np.float32)
    product[15:40, 80:120] = 1
    smooth = smooth_horizon(traced, product)[..., 3]
    for apart in (slice(0, 70), slice(130, 200)):
        assert np.abs(np.diff(cover[20, apart])).max() == 1
        assert np.abs(np.diff(smooth[20, apart])).max() < 0.1
    assert smooth[20].mean() == pytest.approx(cover[20].mean(), abs=0.06)
    assert (smooth[15:40, 80:120] == cover[15:40, 80:120]).all(), "the product's own outline stays"
    assert (smooth[30:] == cover[30:]).all()
