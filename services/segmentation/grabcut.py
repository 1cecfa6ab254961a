"""GrabCut (Rother et al., 2004): a cut-out without any weights, for plain backgrounds."""

import cv2
import numpy as np

from services.runtime.image import Pixels
from services.segmentation.engine import Box, Candidate, Mask, Prompt, PromptPoint

ITERATIONS = 5
POINT_RADIUS = 0.01
BOX_MARGIN = 0.05
SCORE = 0.5


class GrabCut:
    """Colour models of the prompted box and of what lies around it, cut apart. Safe to call from several threads."""

    name = "grabcut"

    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:
        """See Segmenter. It cannot tell how good it is: the score is always 0.5."""
        height, width = picture.shape[:2]
        labels = np.full((height, width), cv2.GC_BGD, np.uint8)
        box = prompt.box or inner_box(width, height)
        labels[box.top : box.bottom, box.left : box.right] = cv2.GC_PR_FGD
        for point in prompt.points:
            _mark(labels, point)
        if _is_one_sided(labels):
            return [Candidate(_is_object(labels).astype(np.float32), SCORE)]
        cv2.setRNGSeed(0)
        image = np.ascontiguousarray(picture)
        background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(image, labels, (0, 0, 0, 0), background, foreground, ITERATIONS, cv2.GC_INIT_WITH_MASK)
        return [Candidate(_is_object(labels).astype(np.float32), SCORE)]


def inner_box(width: int, height: int) -> Box:
    """Give the whole picture but for a margin: where a product is likely when nothing is known."""
    x, y = round(width * BOX_MARGIN), round(height * BOX_MARGIN)
    return Box(x, y, max(width - x, x + 1), max(height - y, y + 1))


def _mark(labels: Pixels, point: PromptPoint) -> None:
    radius = max(1, round(POINT_RADIUS * max(labels.shape)))
    cv2.circle(labels, (point.x, point.y), radius, cv2.GC_FGD if point.on_object else cv2.GC_BGD, cv2.FILLED)


def _is_object(labels: Pixels) -> Mask:
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _is_one_sided(labels: Pixels) -> bool:
    """Tell whether there are too few pixels of one kind to make a colour model from."""
    count = int(_is_object(labels).sum())
    return min(count, labels.size - count) < 10
