"""Everything in a picture: the segmenter is asked at points of a grid, wherever no segment is yet."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.imaging.codec import Mask, Pixels
from services.segmentation.engines.base import Box, Candidate, Prompt, PromptPoint, Segmenter

WORKING_SIDE = 512
"""Longer side of the picture, in pixels."""
COLUMNS = 10
"""Points along the longer side."""
MIN_SCORE, MIN_STABILITY = 0.75, 0.85
"""Least predicted quality of a segment, and least IoU of its masks at a high and a low threshold."""
SURE, UNSURE = 0.73, 0.27
"""Those thresholds: logits of +1 and -1, as in segment-anything's automatic mask generator."""
MIN_AREA = 0.0008
"""As a fraction of the picture."""
SAME = 0.75
"""IoU above which two segments are one."""


@dataclass(frozen=True, eq=False)
class Segment:
    """A region that is one thing, or one part of something.

    Attributes:
        mask: (h, w) bool.
        score: Predicted quality, 0 to 1.
    """

    mask: Mask
    score: float

    @cached_property
    def box(self) -> Box:
        """Its box."""
        return Box.around(self.mask)

    @cached_property
    def area(self) -> int:
        """Its pixels."""
        return int(self.mask.sum())


def segment_everything(picture: Pixels, segmenter: Segmenter) -> list[Segment]:
    """Segment everything that shows at some point of a grid.

    Args:
        picture: (h, w, 3), of the working size.
        segmenter: Segments prompts.

    Returns:
        Segments, which may lie within one another.
    """
    height, width = picture.shape[:2]
    step = max(height, width) / COLUMNS
    covered = np.zeros((height, width), np.bool_)
    found: list[Segment] = []
    for y in np.arange(step / 2, height, step):
        for x in np.arange(step / 2, width, step):
            if covered[int(y), int(x)]:
                continue
            asked = Prompt((PromptPoint(int(x), int(y), on_object=True),))
            accepted = [one for candidate in segmenter.segment(picture, asked) if (one := _accepted(candidate))]
            found += [one for one in accepted if not any(_is_same(one, other) for other in found)]
            if accepted:  # the surest: a wall is surer than a wall with its floor
                covered |= max(accepted, key=lambda one: one.score).mask
    return found


def _accepted(candidate: Candidate) -> Segment | None:
    probability = candidate.probability
    stability = float((probability > SURE).sum()) / max(1.0, float((probability > UNSURE).sum()))
    mask = np.asarray(probability > 0.5)
    if candidate.score < MIN_SCORE or stability < MIN_STABILITY or mask.mean() < MIN_AREA:
        return None
    return Segment(mask, candidate.score)


def _is_same(one: Segment, other: Segment) -> bool:
    if not 0.6 < one.area / other.area < 1.7:
        return False
    together = int((one.mask & other.mask).sum())
    return together > SAME * (one.area + other.area - together)
