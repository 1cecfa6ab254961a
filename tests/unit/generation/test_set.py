import itertools

import numpy as np
import pytest

from services.generation.audience import AGES, GENDERS, INTERESTS, Audience, Product
from services.generation.background.background import Background, BackgroundRequest
from services.generation.engines.set import sets
from services.generation.engines.set.lens import defocus
from services.generation.engines.set.palette import choose_palette
from services.generation.engines.set.set_engine import SetEngine
from services.generation.engines.set.sets import TYPES

PRODUCT = Product("bottle")


def make(audience: Audience | None = None, aspect_ratio: float = 1.25, seed: int = 1, **more: float) -> Background:
    wish = BackgroundRequest(PRODUCT, audience or Audience(), aspect_ratio, seed, **more)  # type: ignore[arg-type]
    return SetEngine(stand_in=False).generate(wish)


def test_a_seed_gives_one_picture() -> None:
    first, again, other = make(seed=5), make(seed=5), make(seed=6)
    assert np.array_equal(first.pixels, again.pixels)
    assert first.prompt == again.prompt
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("aspect_ratio", [1 / 4, 2 / 3, 1.0, 1.25, 728 / 90 / 2.1, 4.0])
def test_every_aspect_ratio_has_room_for_the_product(aspect_ratio: float) -> None:
    background = make(aspect_ratio=aspect_ratio)
    height, width = background.pixels.shape[:2]
    assert width / height == pytest.approx(aspect_ratio, rel=0.01)
    assert width * height >= 0.2e6
    zone = background.placement.box
    assert 0 <= zone.left < zone.right <= width
    assert 0 <= zone.top < zone.bottom <= height
    assert zone.bottom - zone.top > 0.5 * height


def test_the_picture_has_depth_and_no_bands() -> None:
    pixels = make(seed=2).pixels.astype(int)
    assert pixels.min() < 90
    assert pixels.max() > 200
    wall = pixels[: pixels.shape[0] // 8, :, 1]
    assert len(np.unique(wall)) > 5
    # Dithering: neighbours on the smooth wall differ by noise instead of forming bands.
    assert (np.diff(wall, axis=1) != 0).mean() > 0.2


@pytest.mark.parametrize("interest", [*INTERESTS, ""])
def test_an_audience_sees_several_types_of_set(interest: str) -> None:
    assert len(set(TYPES[interest])) >= 3


def test_there_are_many_types_of_set() -> None:
    assert len({kind for kinds in TYPES.values() for kind in kinds}) >= 6


@pytest.mark.parametrize("kind", sorted({kind.__name__ for kinds in TYPES.values() for kind in kinds}))
@pytest.mark.parametrize("aspect_ratio", [5 / 4, 2 / 3])
def test_every_type_has_a_stand_for_the_product(
    kind: str, aspect_ratio: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just above the foot of the zone, the evenly lit top of the stand must span the zone."""
    monkeypatch.setattr("services.generation.engines.set.set_engine.TYPES", {"": (getattr(sets, kind),)})
    background = make(aspect_ratio=aspect_ratio, seed=4, product_aspect_ratio=0.6)
    zone = background.placement.box
    foot = background.pixels[zone.bottom - 3, zone.left : zone.right].astype(int)
    above = background.pixels[zone.top : zone.top + 40, zone.left : zone.right].astype(int)
    assert np.abs(np.diff(foot, axis=0)).max() < 70, "no edge runs through where the product stands"
    assert np.abs(foot.mean(axis=0) - above.mean(axis=(0, 1))).max() > 12, "a stand before a wall"
    assert background.placement.light.up > 0
    assert background.pixels.std() > 15


@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0])
def test_the_stand_suits_the_product(ratio: float) -> None:
    background = make(seed=4, product_aspect_ratio=ratio)
    zone, width = background.placement.box, background.pixels.shape[1]
    room = (zone.right - zone.left) / (zone.bottom - zone.top)
    assert room >= min(ratio, 0.88 * width / (zone.bottom - zone.top)) - 0.05


@pytest.mark.parametrize(("short_side", "ratio"), [(240, 5 / 4), (1080, 9 / 16), (560, 21 / 9)])
def test_the_picture_is_as_large_as_asked_for(short_side: int, ratio: float) -> None:
    pixels = make(aspect_ratio=ratio, short_side=short_side).pixels
    assert min(pixels.shape[:2]) == short_side


def test_edges_are_smooth() -> None:
    """An aliased edge has hardly any values between those on its two sides."""
    picture = make(seed=6).pixels.astype(int)
    across = np.abs(np.diff(picture, axis=1)).max(axis=2)
    # Steps over two pixels, through an intermediate value, count as smoothed.
    hard = (across[:, 1:-1] > 60) & (across[:, :-2] < 10) & (across[:, 2:] < 10)
    strong = across[:, 1:-1] > 25
    assert hard.sum() < 0.35 * strong.sum()


def test_what_is_far_is_blurred_and_what_is_sharp_does_not_bleed() -> None:
    light = np.zeros((80, 120, 3), np.float32)
    light[:, :60] = 1
    light[:, 60::4] = 1
    depth = np.where(np.arange(120) < 60, 7.0, 11.0)[None].repeat(80, axis=0).astype(np.float32)
    seen = defocus(light, depth, 7.0)
    assert np.array_equal(seen[:, :60], light[:, :60])
    far = seen[:, 64:110, 0]
    assert np.ptp(far, axis=1).max() < 0.6
    assert far.mean() == pytest.approx(0.25, abs=0.05), "the bright half in focus does not brighten it"


def test_audiences_see_different_sets() -> None:
    pictures = [make(Audience(interest=interest)).pixels.mean(axis=(0, 1)) for interest in INTERESTS]
    assert all(np.abs(a - b).max() > 3 for a, b in itertools.combinations(pictures, 2))


def test_the_prompt_names_product_and_audience() -> None:
    prompt = make(Audience("female", "25-34", "outdoor")).prompt
    assert all(word in prompt for word in ("bottle", "female", "25-34", "outdoor"))


def test_every_audience_has_a_palette() -> None:
    for gender, age, interest in itertools.product((*GENDERS, ""), (*AGES, ""), (*INTERESTS, "")):
        palette = choose_palette(Audience(gender, age, interest), 7)
        colours = np.array([palette.wall, palette.floor, palette.podium, *palette.accents])
        assert colours.min() >= 0
        assert colours.max() <= 1


def test_a_stand_in_stands_where_the_product_goes() -> None:
    empty, taken = (
        SetEngine(stand_in=there).generate(BackgroundRequest(PRODUCT, Audience(), 1.25, 9)) for there in (False, True)
    )
    changed = np.abs(empty.pixels.astype(int) - taken.pixels).max(axis=2) > 30
    zone = empty.placement.box
    rows, columns = np.nonzero(changed[zone.top : zone.bottom, zone.left : zone.right])
    assert rows.size > 1000
    assert columns.mean() == pytest.approx((zone.right - zone.left) / 2, rel=0.2)
