"""Cutout pipeline: find the product, clean its mask, refine the mask to a matte, decontaminate the colours."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.errors import PreconditionError
from common.imaging.codec import Pixels
from services.segmentation.cutout.matting import clean, estimate_foreground, refine
from services.segmentation.cutout.own_alpha import flattened, is_cut_out_already
from services.segmentation.cutout.product import check_inside, find_product
from services.segmentation.engines.base import Box, Engines, Prompt

OWN_ALPHA = "own_alpha"
"""Engine name reported for photos that are already cut out."""


@dataclass(frozen=True)
class Cutout:
    """A product without its background.

    Attributes:
        pixels: (H, W, 4), the size of the photo.
        bounds: Bounding box of all pixels with alpha above 0.
        score: Confidence, 0 to 1.
        engine: Name of the engine that made it.
    """

    pixels: Pixels
    bounds: Box
    score: float
    engine: str


def cut_out(photo: Pixels, prompt: Prompt | None, engines: Engines, working_size: int = 1536) -> Cutout:
    """Cut the product out of a photo.

    Args:
        photo: (H, W), (H, W, 3) or (H, W, 4); a photo that is already cut out keeps its alpha.
        prompt: Where the product is, if known.
        engines: Engines selected by the registry.
        working_size: Longer side at which the matte is computed before it is applied at full size, in pixels.

    Raises:
        InvalidInputError: The prompt lies outside the photo.
        PreconditionError: Nothing stands out from the background.
    """
    check_inside(prompt, photo)
    if is_cut_out_already(photo):
        return _finish(photo.copy(), 1.0, OWN_ALPHA)
    colours = flattened(photo)
    found = find_product(colours, prompt, engines)
    if found is None:
        raise _nothing_found()
    alpha = refine(colours, clean(found.mask), working_size)
    foreground = estimate_foreground(colours, alpha)
    pixels = np.dstack([foreground, np.round(alpha * 255).astype(np.uint8)])
    return _finish(pixels, found.score, engines.segmenter.name)


def _finish(pixels: Pixels, score: float, engine: str) -> Cutout:
    alpha = pixels[..., 3]
    pixels[alpha == 0] = 0  # hidden colours only enlarge the file
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if not width:
        raise _nothing_found()
    return Cutout(pixels, Box(left, top, left + width, top + height), score, engine)


def _nothing_found() -> PreconditionError:
    return PreconditionError(
        "No product stands out from the background.",
        "NOTHING_FOUND",
    )
