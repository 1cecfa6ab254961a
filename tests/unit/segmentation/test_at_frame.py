"""A product that the frame cuts is taken whole where it goes on in its own colour, and only there."""

import numpy as np
import pytest

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.at_frame import whole_at_frame
from services.segmentation.engines.base import Candidate, Prompt, Segmenter

GREEN, GREY = (90, 190, 130), (150, 140, 135)


class Answers(Segmenter):
    """Answers every prompt with the same masks; remembers whether it was asked."""

    name = "answers"
    segments_anything = True

    def __init__(self, *masks: Mask) -> None:
        self.masks = masks
        self.asked: list[Prompt] = []

    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:  # noqa: ARG002  # like the others
        self.asked.append(prompt)
        return [Candidate(mask.astype(np.float32), 0.9) for mask in self.masks]


def bag(body: tuple[int, int, int], *, at_frame: bool = True) -> tuple[Pixels, Mask, Mask]:
    """Return a picture of a bag with a handle, the handle, and the whole."""
    right = 200 if at_frame else 180
    picture = np.full((200, 200, 3), 225, np.uint8)
    handle, whole = np.zeros((200, 200), np.bool_), np.zeros((200, 200), np.bool_)
    handle[60:72, 110:right] = True
    handle[60:120, 110:122] = True
    whole[120:, 90:right] = True
    picture[whole], picture[handle] = body, GREEN
    return picture, handle, whole | handle


def test_a_bag_is_taken_with_its_body() -> None:
    picture, handle, whole = bag(GREEN)
    segmenter = Answers(handle, whole)
    found = whole_at_frame(picture, handle, segmenter)
    assert found is not None
    assert (found == whole).all()
    [prompt] = segmenter.asked
    [point] = prompt.points
    assert handle[point.y, point.x], "the prompt lies on what is known"


@pytest.mark.parametrize(
    ("body", "at_frame"), [(GREY, True), (GREEN, False)], ids=["another colour", "away from the frame"]
)
def test_what_else_there_is_is_not_taken(body: tuple[int, int, int], at_frame: bool) -> None:
    picture, handle, whole = bag(body, at_frame=at_frame)
    assert whole_at_frame(picture, handle, Answers(handle, whole)) is None


def test_what_does_not_hold_the_part_or_is_hardly_larger_is_not_taken() -> None:
    picture, handle, whole = bag(GREEN)
    a_little_more = handle.copy()
    a_little_more[120:124, 110:122] = True
    assert whole_at_frame(picture, handle, Answers(whole & ~handle, a_little_more)) is None


def test_a_wall_of_the_products_colour_is_not_taken() -> None:
    picture, handle, whole = bag(GREEN)
    wall = ~whole
    picture[wall] = GREEN
    assert whole_at_frame(picture, handle, Answers(wall | handle, np.ones_like(wall))) is None
    found = whole_at_frame(picture, handle, Answers(np.ones_like(wall), whole))
    assert found is not None
    assert (found == whole).all()
