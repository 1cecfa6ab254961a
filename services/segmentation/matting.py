"""From a rough mask to a matte: soft alpha along true edges, and colours without the old background."""

from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from services.runtime.image import Pixels
from services.segmentation.engine import Mask
from services.segmentation.hair import key_hair
from services.segmentation.trimap import trimap_around

Tile = tuple[slice, slice]
Plane = MatLike
"""float32 arrays, (H, W) unless said otherwise."""

BAND = 0.006
"""Half the width of the band along the mask's edge in which alpha is looked for, as a part of the longer side."""
WIDE_BLUR, NARROW_BLUR = 45, 6
"""Radii of the two passes of the colour estimate, in pixels; the wide one grows with large photos."""
REGULARISATION = 1e-4
"""How much colours must vary in a window for alpha to follow them (He et al., epsilon)."""
TILE = 1024
"""What is worked out at full size is worked out in tiles of so many pixels a side."""
SMALLEST_PART = 0.02
"""Parts and holes of less than this, as a part of the largest, are taken for noise."""


def clean(mask: Mask) -> Mask:
    """Drop specks and fill pinholes: parts much smaller than the largest, and holes smaller still.

    Args:
        mask: (H, W), true = product.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= areas.max() * SMALLEST_PART])
    product = kept[labels]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~product).astype(np.uint8))
    pinhole = np.concatenate([[False], stats[1:, cv2.CC_STAT_AREA] < areas.max() * SMALLEST_PART**2])
    return np.asarray(product | pinhole[labels])


def refine(photo: Pixels, mask: Mask, working_size: int) -> Plane:
    """Find alpha in a narrow band along the mask's edge, by letting it follow the photo's colours.

    A guided filter (He et al., "Guided Image Filtering", 2010; worked out at reduced size as in "Fast Guided Filter",
    2015) fits alpha as a linear function of colour in every window; where there is hair, the band is wide and another
    such function holds (see hair.py). Away from the edge the mask stands.

    Args:
        photo: (H, W, 3).
        mask: (h, w) of any size, true = product.
        working_size: The longer side at which the filter is worked out; what it found is applied at full size.

    Returns:
        (H, W) float32, 0 to 1.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, working_size / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guide = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rough = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(BAND * max(size)))
    edge = trimap_around(rough, radius)
    near = cv2.dilate(edge.possible - edge.sure, _disc(radius)) > 0
    slope, offset = _guided_filter(guide, rough, radius, near)
    hair = key_hair(guide, rough)
    slope[hair.trusted], offset[hair.trusted] = hair.slope[hair.trusted], hair.offset[hair.trusted]
    sure = np.where(hair.trusted, hair.trimap.sure, edge.sure)
    possible = np.where(hair.trusted, hair.trimap.possible, edge.possible)
    alpha = cv2.resize(sure, (width, height))
    for tile in _tiles(0, 0, width, height):
        least, most = (_part_of(plane, tile, height, width) for plane in (sure, possible))
        if np.array_equal(least, most):
            continue
        slopes, offsets = (_part_of(plane, tile, height, width) for plane in (slope, offset))
        fitted = np.einsum("hwc,hwc->hw", photo[tile], slopes, dtype=np.float32) / 255 + offsets
        alpha[tile] = np.clip(_contrast(fitted), least, most)
    return alpha


def _tiles(first_column: int, first_row: int, width: int, height: int) -> Iterator[Tile]:
    """Cut a rectangle up, so that what is worked out at full size takes a bounded amount of memory."""
    right, bottom = first_column + width, first_row + height
    for top in range(first_row, bottom, TILE):
        for left in range(first_column, right, TILE):
            yield slice(top, min(top + TILE, bottom)), slice(left, min(left + TILE, right))


def _part_of(plane: MatLike, tile: Tile, height: int, width: int) -> MatLike:
    """Give the tile of a plane that is to be scaled up to height by width, without scaling the rest."""
    rows, columns = tile
    down, across = plane.shape[0] / height, plane.shape[1] / width
    # Pixel centres lie at half integers.
    towards = np.array(
        [
            [across, 0, (columns.start + 0.5) * across - 0.5],
            [0, down, (rows.start + 0.5) * down - 0.5],
        ]
    )
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(plane, towards, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _contrast(alpha: Plane) -> Plane:
    """Bring what is nearly clear or nearly solid to the end of its range: the filter leaves a veil there."""
    return (alpha - 0.1) / 0.8


def _disc(radius: int) -> MatLike:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _guided_filter(guide: MatLike, target: Plane, radius: int, near: Mask) -> tuple[MatLike, Plane]:
    """Give the slope (H, W, 3) and the offset (H, W) of the colour guided filter (He et al., equations 14 and 15).

    Windows are solved where `near` is true; elsewhere slope and offset are 0.
    """
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: MatLike) -> MatLike:
        return cv2.blur(values, window)

    mean_guide, mean_target = mean(guide), mean(target)
    products = [[mean(guide[..., row] * guide[..., column])[near] for column in range(3)] for row in range(3)]
    colour = mean_guide[near]
    variance = np.stack([np.stack(row, axis=-1) for row in products], axis=-2) - colour[:, :, None] * colour[:, None, :]
    covariance = mean(guide * target[..., None])[near] - colour * mean_target[near][:, None]
    slope, offset = np.zeros_like(guide), np.zeros_like(target)
    slope[near] = np.linalg.solve(variance + REGULARISATION * np.eye(3, dtype=np.float32), covariance[..., None])[
        ..., 0
    ]
    offset[near] = mean_target[near] - np.einsum("nc,nc->n", slope[near], colour)
    return mean(slope), mean(offset)


def estimate_foreground(photo: Pixels, alpha: Plane) -> Pixels:
    """Give the product's own colours along its soft edge, where the photo shows a mix with the background.

    Blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021), a wide pass and a narrow one.
    Solid pixels stay as they are.

    Args:
        photo: (H, W, 3).
        alpha: (H, W), 0 to 1.

    Returns:
        (H, W, 3); where alpha is 0, the nearest product colour or none.
    """
    wide = max(WIDE_BLUR, round(0.02 * max(alpha.shape)))
    foreground = photo.copy()
    for tile in _tiles(*cv2.boundingRect((alpha > 0).view(np.uint8))):
        share = alpha[tile]
        if ((share > 0) & (share < 1)).any():
            around, inner = _with_margin(tile, alpha.shape, wide + NARROW_BLUR)
            estimated = _foreground_of(photo[around], alpha[around], wide)[inner]
            foreground[tile] = np.where((share < 1)[..., None], estimated, photo[tile])
    return foreground


def _with_margin(tile: Tile, shape: tuple[int, ...], margin: int) -> tuple[Tile, Tile]:
    """Give the tile with what lies around it, and where in that the tile itself lies."""
    outer = [
        slice(max(0, part.start - margin), min(side, part.stop + margin))
        for part, side in zip(tile, shape, strict=True)
    ]
    inner = [slice(part.start - wide.start, part.stop - wide.start) for part, wide in zip(tile, outer, strict=True)]
    return (outer[0], outer[1]), (inner[0], inner[1])


def _foreground_of(photo: Pixels, alpha: Plane, wide: int) -> Pixels:
    picture = photo.astype(np.float32) / 255
    colour, background = _blur_fusion(picture, picture, picture, alpha, wide)
    colour, _ = _blur_fusion(picture, colour, background, alpha, NARROW_BLUR)
    return np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)


def _blur_fusion(
    picture: MatLike,
    foreground: MatLike,
    background: MatLike,
    alpha: Plane,
    radius: int,
) -> tuple[MatLike, MatLike]:
    window = (2 * radius + 1, 2 * radius + 1)
    share = alpha[..., None]
    blurred_alpha = cv2.blur(alpha, window)[..., None]
    front = cv2.blur(foreground * share, window) / (blurred_alpha + 1e-5)
    back = cv2.blur(background * (1 - share), window) / (1 - blurred_alpha + 1e-5)
    return front + share * (picture - share * front - (1 - share) * back), back
