"""Finding objects with what segments the product: one object, without a class of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from services.runtime.errors import InvalidInputError
from services.runtime.image import Pixels
from services.segmentation.engine import Box, Engines, Mask, Prompt, PromptPoint
from services.segmentation.matting import clean
from services.segmentation.product import check_inside, find_product

LABEL = "object"
LEAST_SCORE = 0.5
LARGEST_OBJECT = 0.6
"""What covers more of the picture than this is its floor or its wall."""


@dataclass(frozen=True)
class FoundObject:
    """An object in a picture.

    Attributes:
        label: What it is.
        score: 0 to 1.
        box: The smallest box that holds it.
        mask: (H, W), true = object.
    """

    label: str
    score: float
    box: Box
    mask: Mask


def find_objects(
    picture: Pixels, labels: Sequence[str], min_score: float, at: PromptPoint | None, engines: Engines
) -> list[FoundObject]:
    """Find the objects in a picture.

    Args:
        picture: (H, W, 3).
        labels: Those wanted; none: all.
        min_score: The least score wanted, 0 to 1; 0: 0.5.
        at: The place to look at; None: the most salient one.
        engines: Chosen at start.

    Returns:
        The object there, or nothing when none stands out.

    Raises:
        InvalidInputError: min_score is out of range, or the place lies outside the picture.
    """
    if not 0 <= min_score <= 1:
        raise InvalidInputError("min_score must be within 0 to 1.", "BAD_SCORE")
    if labels and LABEL not in labels:
        return []
    prompt = None if at is None else Prompt(points=(at,))
    check_inside(prompt, picture)
    found = find_product(picture, prompt, engines)
    if found is None or found.score < (min_score or LEAST_SCORE) or found.mask.mean() > LARGEST_OBJECT:
        return []
    height, width = picture.shape[:2]
    solid = clean(found.mask).astype(np.uint8)
    mask = cv2.resize(solid, (width, height), interpolation=cv2.INTER_LINEAR_EXACT) > 0
    left, top, box_width, box_height = cv2.boundingRect(mask.astype(np.uint8))
    return [FoundObject(LABEL, found.score, Box(left, top, left + box_width, top + box_height), mask)]
