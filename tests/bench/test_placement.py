import pytest

from bench.placement import on_stand_in, seen, verdicts
from common.serving.engines import EngineRegistry
from services.segmentation.engines.base import Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings
from testing.rooms.scenes import ROOMS
from testing.rooms.truth import picture_of


@pytest.fixture(scope="module")
def engines() -> Engines:
    return load_engines(SegmentationSettings(engine="mobile_sam"), EngineRegistry())


SLOW = pytest.mark.slow


@pytest.mark.parametrize("name", ["desk", pytest.param("sideboard", marks=SLOW), pytest.param("living", marks=SLOW)])
def test_the_product_stands_on_the_surface_clear_of_things_and_in_scale(name: str, engines: Engines) -> None:
    own = verdicts(name, seen(picture_of(name), engines))[0]
    assert own.is_good, own
    assert not verdicts(name, None)[0].is_good, "the calmest place is not good"


@pytest.mark.slow
def test_nine_of_ten_rooms_take_their_product(engines: Engines) -> None:
    good = [verdicts(name, seen(picture_of(name), engines))[0].is_good for name in ROOMS]
    assert sum(good) >= 9


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=SLOW)])
def test_the_product_takes_the_place_of_a_stand_in_or_any_on_an_empty_table(seed: int, engines: Engines) -> None:
    assert on_stand_in(seed, engines, is_there=True)
    assert on_stand_in(seed, engines, is_there=False)
