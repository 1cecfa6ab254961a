"""Filling holes: crop around each, fill at the engine's size, restore sharpness, paste only the hole.

Works with any engine; all it needs to know are the engine's native size and largest hole.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from common.errors import InvalidInputError, PreconditionError
from common.imaging.codec import Mask, Pixels
from services.inpainting.engines.base import Inpainter
from services.inpainting.fill.detail import with_detail

GAP = 0.02
"""Merge holes closer than this fraction of the longer image side."""
MIN_SURROUNDINGS = 32
"""Minimum context around a hole, in pixels."""
FEATHER = 3
"""Feather width inside the hole, in pixels."""


@dataclass(frozen=True)
class FillOptions:
    """Cropping and batching options.

    Attributes:
        dilation: Width of the band around a hole hidden from the engine, as a fraction of the hole's longer side.
        context: Context on each side of a hole, as a multiple of the hole's longer side.
        batch_size: Maximum number of crops filled together.
    """

    dilation: float
    context: float
    batch_size: int


@dataclass(frozen=True)
class _Piece:
    """A crop around one hole, or around several filled as one.

    Attributes:
        where: Rows and columns of the crop.
        hole: (h, w) bool; True marks pixels to fill.
        unknown: (h, w) bool; True marks pixels hidden from the engine: all holes, dilated unless that covers the crop.
        size: Width and height at which the engine fills it, in pixels.
    """

    where: tuple[slice, slice]
    hole: Mask
    unknown: Mask
    size: tuple[int, int]


def fill(picture: Pixels, mask: Mask, engine: Inpainter, options: FillOptions) -> Pixels:
    """Fill the masked region of a picture. Pixels outside the mask are returned unchanged, byte for byte.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks pixels to fill.
        engine: Inpainting engine selected by the registry.
        options: Cropping and batching options.

    Returns:
        (H, W, 3); the picture itself if the mask is empty.

    Raises:
        InvalidInputError: The mask and the picture differ in size.
        PreconditionError: The mask covers the whole picture.
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
    for batch in _batches(_pieces(mask, engine, options), options.batch_size):
        pictures = np.stack([_shrunk(picture[piece.where], piece.size) for piece in batch])
        unknown = np.stack([_shrunk_mask(piece.unknown, piece.size) for piece in batch])
        for piece, filled in zip(batch, engine.fill(pictures, unknown), strict=True):
            surroundings = picture[piece.where]
            sharp = with_detail(filled, surroundings, piece.unknown)
            result[piece.where][piece.hole] = _feathered(sharp, surroundings, mask[piece.where])[piece.hole]
    return result


def _size(array: "Pixels | Mask") -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


@dataclass(frozen=True)
class _Group:
    """Holes filled as one: their labels, their bounding box, and the longer side of the largest, in pixels."""

    labels: tuple[int, ...]
    left: int
    top: int
    right: int
    bottom: int
    largest: int

    @property
    def side(self) -> int:
        return max(self.right - self.left, self.bottom - self.top)

    def joined(self, other: "_Group") -> "_Group":
        return _Group(
            self.labels + other.labels,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            max(self.largest, other.largest),
        )


def _pieces(mask: Mask, engine: Inpainter, options: FillOptions) -> Iterator[_Piece]:
    """Crop around every group of holes."""
    gap = max(3, round(GAP * max(mask.shape)))
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap, gap), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    for group in _groups(stats, engine.native_size):
        side = group.side + 2 * max(MIN_SURROUNDINGS, round(options.context * group.largest))
        where = (
            _window(group.top, group.bottom, side, mask.shape[0]),
            _window(group.left, group.right, side, mask.shape[1]),
        )
        wide = _widened(mask[where], round(options.dilation * group.largest))
        unknown = wide if not wide.all() else mask[where]
        hole = mask[where] & np.isin(labels[where], group.labels)
        yield _Piece(where, hole, unknown, _size_for(engine, unknown.shape, group.largest))


def _groups(stats: MatLike, native_size: int) -> list[_Group]:
    """Group holes that fit into one crop of the native size: filling all of them takes no longer than filling one."""
    groups: list[_Group] = []
    for label, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        hole = _Group((label,), left, top, left + width, top + height, max(width, height))
        for index, group in enumerate(groups):
            both = group.joined(hole)
            if both.side + 2 * MIN_SURROUNDINGS <= native_size:
                groups[index] = both
                break
        else:
            groups.append(hole)
    return groups


def _window(start: int, end: int, side: int, limit: int) -> slice:
    """Return a range of length `side` centred on another, shifted rather than cropped at the edge of the picture."""
    first = max(0, min((start + end - side) // 2, limit - side))
    return slice(first, min(limit, first + side))


def _size_for(engine: Inpainter, shape: tuple[int, ...], hole: int) -> tuple[int, int]:
    """Return the width and height at which the engine fills a crop; never larger than the crop."""
    scale = min(1.0, engine.native_size / max(shape), (engine.largest_hole or hole) / hole)
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _widened(hole: Mask, by: int) -> Mask:
    """Dilate the hole by a distance in pixels."""
    if not by:
        return hole
    distance = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= by)


def _batches(pieces: Iterator[_Piece], most: int) -> Iterator[list[_Piece]]:
    """Batch crops of the same size."""
    waiting: defaultdict[tuple[int, int], list[_Piece]] = defaultdict(list)
    for piece in pieces:
        batch = waiting[piece.size]
        batch.append(piece)
        if len(batch) == most:
            yield waiting.pop(piece.size)
    yield from waiting.values()


def _shrunk(picture: Pixels, size: tuple[int, int]) -> Pixels:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shrunk_mask(hole: Mask, size: tuple[int, int]) -> Mask:
    """Shrink a mask. Pixels that touch the hole belong to it, so that nothing to be removed bleeds in."""
    return np.asarray(cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0)


def _feathered(filled: Pixels, surroundings: Pixels, hole: Mask) -> Pixels:
    """Blend the nearest known colours into the edge of the hole, so that no seam shows."""
    distance, labels = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    edge = hole & (distance <= FEATHER)
    known = np.zeros((labels.max() + 1, 3), np.float32)
    known[labels[~hole]] = surroundings[~hole]
    share = (distance[edge] / (FEATHER + 1))[:, None]
    result = filled.copy()
    result[edge] = np.round(share * filled[edge] + (1 - share) * known[labels[edge]]).astype(np.uint8)
    return result
