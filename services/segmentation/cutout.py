"""From a photo to a cut-out: find the product, clean the mask, make the matte, clean the colours."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.runtime.errors import PreconditionError
from services.runtime.image import Pixels, rgb
from services.segmentation.engine import Box, Engines, Prompt
from services.segmentation.matting import clean, estimate_foreground, refine
from services.segmentation.product import check_inside, find_product

OWN_ALPHA = "own_alpha"
"""The engine named when the photo came cut out already."""
LEAST_HIDDEN = 0.01
"""A photo that hides less of itself than this is not cut out; a stray soft pixel does not count."""


@dataclass(frozen=True)
class CutOut:
    """A product alone.

    Attributes:
        pixels: (H, W, 4), of the photo's size.
        bounds: The smallest box that holds every pixel of the product.
        score: 0 to 1.
        engine: What made it.
    """

    pixels: Pixels
    bounds: Box
    score: float
    engine: str


def cut_out(photo: Pixels, prompt: Prompt | None, engines: Engines, working_size: int = 1536) -> CutOut:
    """Cut the product out of a photo.

    Args:
        photo: (H, W), (H, W, 3) or (H, W, 4); one that is cut out already keeps its alpha.
        prompt: Where the product is, if the caller knows.
        engines: Chosen at start.
        working_size: The longer side at which the matte is worked out before it is applied at full size, in pixels.

    Raises:
        InvalidInputError: The prompt lies outside the photo.
        PreconditionError: Nothing stands out from the background.
    """
    check_inside(prompt, photo)
    if _is_cut_out_already(photo):
        return _finish(photo.copy(), 1.0, OWN_ALPHA)
    colours = rgb(photo)
    found = find_product(colours, prompt, engines)
    if found is None:
        raise _nothing_found()
    alpha = refine(colours, clean(found.mask), working_size)
    foreground = estimate_foreground(colours, alpha)
    pixels = np.dstack([foreground, np.round(alpha * 255).astype(np.uint8)])
    return _finish(pixels, found.score, engines.segmenter.name)


def _is_cut_out_already(photo: Pixels) -> bool:
    return photo.ndim == 3 and photo.shape[2] == 4 and float((photo[..., 3] < 128).mean()) >= LEAST_HIDDEN


def _finish(pixels: Pixels, score: float, engine: str) -> CutOut:
    alpha = pixels[..., 3]
    pixels[alpha == 0] = 0  # hidden colours would only swell the file
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if not width:
        raise _nothing_found()
    return CutOut(pixels, Box(left, top, left + width, top + height), score, engine)


def _nothing_found() -> PreconditionError:
    return PreconditionError(
        "No product was found in this photo: use one where the product is in focus and stands out from the background.",
        "NOTHING_FOUND",
    )
