"""Filling holes: crop around each with context, fill at the engine's size, paste back the hole alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from services.inpainting.engine import Inpainter, Mask
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels


@dataclass(frozen=True)
class FillOptions:
    """How holes are cut out.

    Attributes:
        dilation: How far a hole is widened, as a part of its longer side.
        context: Surroundings on each side of a hole, in units of its longer side.
    """

    dilation: float
    context: float


def fill(picture: Pixels, mask: Mask, engine: Inpainter, options: FillOptions) -> Pixels:
    """Fill the masked part of a picture.

    Widening never leaves the mask's surroundings: pixels outside the given mask come back byte for byte, so the wider
    hole only keeps the engine from continuing a fringe of what is to go.

    Args:
        picture: (H, W, 3).
        mask: (H, W), true = fill.
        engine: Chosen at start.
        options: From the settings.

    Returns:
        (H, W, 3); the picture itself when the mask is empty.

    Raises:
        InvalidInputError: The mask is of another size than the picture.
        PreconditionError: Nothing is known: the mask covers the whole picture.
    """
    if mask.shape != picture.shape[:2]:
        raise InvalidInputError(
            f"The mask is {_size(mask)}, the picture {_size(picture)}: both must be of one size.", "MASK_SIZE"
        )
    if not mask.any():
        return picture
    if mask.all():
        raise PreconditionError("The mask covers the whole picture: leave some of it to fill from.", "NOTHING_KNOWN")
    result = picture.copy()
    for crop in _crops(mask, options):
        hole = mask[crop]
        wide = _widened(hole, options.dilation)
        filled = _fill_at_native_size(result[crop], wide if not wide.all() else hole, engine)
        result[crop][hole] = filled[hole]
    return result


def _size(array: "Pixels | Mask") -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


def _crops(mask: Mask, options: FillOptions) -> Iterator[tuple[slice, slice]]:
    """Give a crop with context for every group of holes that stand close together."""
    height, width = mask.shape
    gap = max(3, round(0.02 * max(height, width)))
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap, gap), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    for left, top, box_width, box_height, _ in stats[1:]:
        margin = max(16, round(options.context * max(box_width, box_height)))
        rows = slice(max(0, top - margin), min(height, top + box_height + margin))
        columns = slice(max(0, left - margin), min(width, left + box_width + margin))
        yield rows, columns


def _widened(hole: Mask, dilation: float) -> Mask:
    rows, columns = np.any(hole, axis=1), np.any(hole, axis=0)
    radius = round(dilation * max(int(rows.sum()), int(columns.sum())))
    if not radius:
        return hole
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(hole.astype(np.uint8), kernel), np.bool_)


def _fill_at_native_size(picture: Pixels, hole: Mask, engine: Inpainter) -> Pixels:
    height, width = hole.shape
    scale = 1.0 if engine.native_size is None else min(1.0, engine.native_size / max(height, width))
    if scale == 1.0:
        return engine.fill(picture, hole)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    # Any part of the hole makes the small pixel a part of it: nothing of what is to go may bleed in.
    small_hole = cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    filled = engine.fill(small, small_hole)
    return np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
