from collections.abc import Sequence

import numpy as np
import pytest

from common.errors import InvalidInputError
from common.imaging.codec import Pixels
from services.segmentation.detection.detection import find_objects
from services.segmentation.engines.base import Box, DetectionQuery, Engines, FoundObject, PromptPoint
from testing.pictures import ball, table_with_ball


def query(labels: Sequence[str] = (), *, min_score: float = 0.5, max_objects: int = 20) -> DetectionQuery:
    return DetectionQuery(frozenset(labels), min_score, max_objects)


def test_the_salient_object_is_found(engines: Engines) -> None:
    picture, truth = ball(400, 320)
    [found] = find_objects(picture, query(), None, engines)
    assert found.label == "object"
    assert found.mask.shape == (320, 400)
    assert (found.mask & truth).sum() / (found.mask | truth).sum() > 0.95
    assert found.mask[found.box.top : found.box.bottom, found.box.left : found.box.right].sum() == found.mask.sum()


def test_labels_and_score_filter(engines: Engines) -> None:
    picture, _ = ball(400, 320)
    assert find_objects(picture, query(["bottle"]), None, engines) == []
    assert find_objects(picture, query(["object", "bottle"]), None, engines)
    assert find_objects(picture, query(min_score=1.0), None, engines) == []


def test_an_empty_scene_holds_nothing(engines: Engines) -> None:
    assert find_objects(np.full((300, 400, 3), 200, np.uint8), query(), None, engines) == []


@pytest.mark.parametrize("seed", [3, 11])
def test_what_stands_at_a_place_is_found_and_nothing_else(seed: int, engines: Engines) -> None:
    for is_there in (True, False):
        picture, foot = table_with_ball(seed, is_there=is_there)
        place = PromptPoint(foot[0], foot[1] - 30, on_object=True)
        feet = [found.box.bottom for found in find_objects(picture, query(), place, engines)]
        on_the_spot = [bottom for bottom in feet if abs(bottom - foot[1]) < 0.035 * picture.shape[0]]
        assert bool(on_the_spot) is is_there


def test_a_place_outside_is_rejected(engines: Engines) -> None:
    picture, _ = ball(40, 30)
    with pytest.raises(InvalidInputError, match="40x30"):
        find_objects(picture, query(), PromptPoint(40, 3, on_object=True), engines)


class TwoBottles:
    """A detector that always returns the same object."""

    name = "two_bottles"

    def __init__(self) -> None:
        self.asked: list[DetectionQuery] = []

    def detect(self, picture: Pixels, wanted: DetectionQuery) -> list[FoundObject]:
        self.asked.append(wanted)
        mask = np.zeros(picture.shape[:2], np.bool_)
        mask[20:80, 20:60] = True
        mask[40:42, 20:60] = False  # a gap
        mask[5:8, 90:95] = True  # a speck
        return [FoundObject("bottle", 0.9, Box(20, 5, 95, 80), mask)]


def test_a_detectors_masks_are_closed_and_lose_their_specks(engines: Engines) -> None:
    detector = TwoBottles()
    picture = np.zeros((100, 400, 3), np.uint8)
    [found] = find_objects(
        picture, query(["bottle"], max_objects=3), None, Engines(engines.segmenter, engines.saliency, detector)
    )
    assert detector.asked == [DetectionQuery(frozenset(["bottle"]), 0.5, 3)]
    assert (found.label, found.score, found.box) == ("bottle", 0.9, Box(20, 20, 60, 80))
    assert found.mask[20:80, 20:60].all()
    assert found.mask.sum() == 60 * 40


def test_the_best_of_those_wanted_come_first() -> None:
    labels, scores = ["cup", "person", "cup", "cup"], [0.6, 0.99, 0.9, 0.3]
    assert DetectionQuery(frozenset(["cup"]), 0.5, 5).select(labels, scores) == [2, 0]
    assert DetectionQuery(frozenset(["cup"]), 0.0, 1).select(labels, scores) == [2]
    assert DetectionQuery(frozenset(), 0.5, 5).select(labels, scores) == [1, 2, 0]
