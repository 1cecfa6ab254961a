"""Upscaling a filled hole to the size of the photo without a blurred patch in a sharp photo.

The engine's small result is scaled up and given the fine detail (what downscaling removes) of the most similar places
nearby. After Yi et al., "Contextual Residual Aggregation for Ultra High-Resolution Image Inpainting" (CVPR 2020), which
borrows detail by the attention scores of its own network; this works with any engine and measures similarity between
blocks of the small picture.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels

BLOCK = 8
"""Side of a block of borrowed detail, in pixels of the small picture."""
OVERLAP = 2
"""Overlap of neighbouring blocks, in pixels of the small picture."""
UNLIKE = 10.0
"""Difference (root mean square, 0 to 255) at which a block lends half of its detail; less similar ones lend less."""
STRIDE = 3
"""Spacing of the source blocks, in pixels of the small picture."""
AT_ONCE = 256
"""Number of target blocks compared with all source blocks at a time."""


def with_detail(filled: Pixels, surroundings: Pixels, hole: Mask) -> Pixels:
    """Scale up a filled picture and add the detail of its surroundings.

    Args:
        filled: (h, w, 3): the small picture, filled.
        surroundings: (H, W, 3): the photo; h <= H and w <= W.
        hole: (H, W) bool; True marks unknown pixels of the photo.

    Returns:
        (H, W, 3); meaningful only inside the hole.
    """
    height, width = surroundings.shape[:2]
    small_height, small_width = filled.shape[:2]
    if (height, width) == (small_height, small_width):
        return filled
    result = _scaled_up(filled, width, height)
    small = cv2.resize(surroundings, (small_width, small_height), interpolation=cv2.INTER_AREA)
    smooth = _scaled_up(np.asarray(small, np.uint8), width, height)
    small_hole = cv2.resize(hole.astype(np.float32), (small_width, small_height), interpolation=cv2.INTER_AREA) > 0
    targets = _corners(small_hole, BLOCK - OVERLAP, inside=True)
    sources = _corners(small_hole, STRIDE, inside=False)
    if not len(targets) or not len(sources):
        return result
    best, shares = _most_alike(_blocks(filled, targets), _blocks(filled, sources))
    scale = np.array([height / small_height, width / small_width])
    block = (BLOCK * scale).astype(np.intp)
    there, here = (targets * scale).astype(np.intp), (sources[best] * scale).astype(np.intp)
    first, size = there.min(axis=0), np.ptp(there, axis=0) + block
    total = np.zeros((*size, 3), np.float32)
    weight = np.full((*size, 1), 1e-6, np.float32)
    window = _window(*block)
    for target, source, share in zip(there - first, here, shares, strict=True):
        lent, to = _at(source, block), _at(target, block)
        total[to] += share * window * (surroundings[lent].astype(np.float32) - smooth[lent])
        weight[to] += window
    region = _at(first, size)
    result[region] = np.clip(np.round(result[region] + total / weight), 0, 255)
    return result


def _scaled_up(small: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _corners(hole: Mask, stride: int, *, inside: bool) -> MatLike:
    """Return (n, 2) rows and columns of grid blocks that touch the hole (inside) or do not, edge blocks included."""
    rows, columns = (np.unique([*range(0, side - BLOCK, stride), side - BLOCK]) for side in hole.shape)
    if min(hole.shape) < BLOCK:
        return np.zeros((0, 2), np.intp)
    counts = cv2.boxFilter(
        hole.astype(np.float32), -1, (BLOCK, BLOCK), anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    touching = counts[np.ix_(rows, columns)] > 0.5
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return np.asarray(grid[touching if inside else ~touching])


def _blocks(picture: Pixels, corners: MatLike) -> MatLike:
    """Return the blocks at the corners, (n, BLOCK * BLOCK * 3) float32."""
    views = np.lib.stride_tricks.sliding_window_view(picture, (BLOCK, BLOCK), axis=(0, 1))
    return np.asarray(views[corners[:, 0], corners[:, 1]].reshape(len(corners), -1), np.float32)


def _most_alike(wanted: MatLike, offered: MatLike) -> tuple[MatLike, MatLike]:
    """Return, for each wanted block, the index of the most similar one offered and the fraction of detail it lends."""
    length = (offered**2).sum(axis=1)
    some = np.array_split(wanted, -(-len(wanted) // AT_ONCE))
    best = np.concatenate([np.argmin(length - 2 * part @ offered.T, axis=1) for part in some])
    squared = ((wanted - offered[best]) ** 2).mean(axis=1)
    return best, np.asarray(1 / (1 + squared / UNLIKE**2), np.float32)


def _at(corner: MatLike, size: MatLike) -> tuple[slice, slice]:
    return slice(corner[0], corner[0] + size[0]), slice(corner[1], corner[1] + size[1])


def _window(height: int, width: int) -> MatLike:
    """Return weights, (height, width, 1) float32, that fall off where blocks overlap."""
    ramps = []
    for side in (height, width):
        run = max(1, round(side * OVERLAP / BLOCK))
        ramp = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)) / run
        ramps.append(np.minimum(ramp, 1))
    return np.asarray(ramps[0][:, None, None] * ramps[1][None, :, None], np.float32)
