"""Filling holes: crop around each, fill at the engine's size, bring back sharp, paste the hole alone.

Any engine will do: what it knows of pictures' sizes is all this needs.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from services.inpainting.detail import with_detail
from services.inpainting.engine import Inpainter, Mask
from services.runtime.errors import InvalidInputError, PreconditionError
from services.runtime.image import Pixels

GAP = 0.02
"""Holes closer than this, as a part of the picture's longer side, are filled as one."""
LEAST_SURROUNDINGS = 32
"""On each side of a hole, in pixels."""
FEATHER = 3
"""How far into the hole the surroundings run out, in pixels."""


@dataclass(frozen=True)
class FillOptions:
    """How holes are cut out.

    Attributes:
        dilation: How far around a hole the engine does not see, as a part of the hole's longer side.
        context: Surroundings on each side of a hole, in units of its longer side.
        batch_size: How many holes are filled together at most.
    """

    dilation: float
    context: float
    batch_size: int


@dataclass(frozen=True)
class _Piece:
    """A hole with its surroundings.

    Attributes:
        where: Its rows and columns.
        hole: What of it is to be filled.
        unknown: What of it the engine does not see: all holes, and around them.
        size: Width and height at which the engine fills it.
    """

    where: tuple[slice, slice]
    hole: Mask
    unknown: Mask
    size: tuple[int, int]


def fill(picture: Pixels, mask: Mask, engine: Inpainter, options: FillOptions) -> Pixels:
    """Fill the masked part of a picture. Pixels outside the mask come back byte for byte.

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
    """Holes that are filled as one: their labels, the box around them, and the longer side of the largest."""

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
    """Cut out every group of holes."""
    gap = max(3, round(GAP * max(mask.shape)))
    joined = cv2.dilate(mask.astype(np.uint8), np.ones((gap, gap), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    for group in _groups(stats, engine.native_size):
        side = group.side + 2 * max(LEAST_SURROUNDINGS, round(options.context * group.largest))
        where = (
            _window(group.top, group.bottom, side, mask.shape[0]),
            _window(group.left, group.right, side, mask.shape[1]),
        )
        wide = _widened(mask[where], round(options.dilation * group.largest))
        unknown = wide if not wide.all() else mask[where]
        hole = mask[where] & np.isin(labels[where], group.labels)
        yield _Piece(where, hole, unknown, _size_for(engine, unknown.shape, group.largest))


def _groups(stats: MatLike, native_size: int) -> list[_Group]:
    """Put small holes together that fit into one picture of the engine's size: it takes as long for one as for all."""
    groups: list[_Group] = []
    for label, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        hole = _Group((label,), left, top, left + width, top + height, max(width, height))
        for index, group in enumerate(groups):
            both = group.joined(hole)
            if both.side + 2 * LEAST_SURROUNDINGS <= native_size:
                groups[index] = both
                break
        else:
            groups.append(hole)
    return groups


def _window(start: int, end: int, side: int, limit: int) -> slice:
    """Give a stretch of `side` around another, moved rather than cut where it would leave the picture."""
    first = max(0, min((start + end - side) // 2, limit - side))
    return slice(first, min(limit, first + side))


def _size_for(engine: Inpainter, shape: tuple[int, ...], hole: int) -> tuple[int, int]:
    """Give the width and height at which the engine fills a piece. Never more than it has."""
    scale = min(1.0, engine.native_size / max(shape), (engine.largest_hole or hole) / hole)
    return max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale))


def _widened(hole: Mask, by: int) -> Mask:
    """Give the hole and all that is at most so far from it."""
    if not by:
        return hole
    distance = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= by)


def _batches(pieces: Iterator[_Piece], most: int) -> Iterator[list[_Piece]]:
    """Put pieces of one size together."""
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
    """Any part of the hole makes the small pixel a part of it: nothing of what is to go may bleed in."""
    return np.asarray(cv2.resize(hole.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0)


def _feathered(filled: Pixels, surroundings: Pixels, hole: Mask) -> Pixels:
    """Let the nearest known colours run out into the hole, so that no seam shows."""
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
