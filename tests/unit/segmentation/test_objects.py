import numpy as np
import pytest

from services.generation.audience import Audience, Product
from services.generation.background.studio import Studio
from services.runtime.errors import InvalidInputError
from services.segmentation.engine import Engines, PromptPoint
from services.segmentation.objects import find_objects
from tests.pictures import ball


def test_the_salient_object_is_found(engines: Engines) -> None:
    picture, truth = ball(400, 320)
    [found] = find_objects(picture, (), 0, None, engines)
    assert found.label == "object"
    assert found.mask.shape == (320, 400)
    assert (found.mask & truth).sum() / (found.mask | truth).sum() > 0.95
    assert found.mask[found.box.top : found.box.bottom, found.box.left : found.box.right].sum() == found.mask.sum()


def test_labels_and_score_filter(engines: Engines) -> None:
    picture, _ = ball(400, 320)
    assert find_objects(picture, ["bottle"], 0, None, engines) == []
    assert find_objects(picture, ["object", "bottle"], 0, None, engines)
    assert find_objects(picture, (), 1.0, None, engines) == []
    with pytest.raises(InvalidInputError):
        find_objects(picture, (), 1.5, None, engines)


def test_an_empty_scene_holds_nothing(engines: Engines) -> None:
    assert find_objects(np.full((300, 400, 3), 200, np.uint8), (), 0, None, engines) == []


@pytest.mark.parametrize("seed", [3, 11])
def test_what_stands_at_a_place_is_found_and_nothing_else(seed: int, engines: Engines) -> None:
    for stand_in in (True, False):
        background = Studio(stand_in=stand_in).generate(Product("x"), Audience(), 1.25, seed)
        zone = background.zone
        place = PromptPoint((zone.left + zone.right) // 2, zone.bottom - (zone.bottom - zone.top) // 8, on_object=True)
        feet = [found.box.bottom for found in find_objects(background.pixels, (), 0, place, engines)]
        on_the_spot = [foot for foot in feet if abs(foot - zone.bottom) < 0.035 * background.pixels.shape[0]]
        assert bool(on_the_spot) is stand_in


def test_a_place_outside_is_refused(engines: Engines) -> None:
    picture, _ = ball(40, 30)
    with pytest.raises(InvalidInputError, match="40x30"):
        find_objects(picture, (), 0, PromptPoint(40, 3, on_object=True), engines)
