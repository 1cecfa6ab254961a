"""Matting: soft alpha along true edges, and foreground colours free of the old background."""

from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.hair import key_hair
from services.segmentation.cutout.trimap import trimap_around

Tile = tuple[slice, slice]
Plane = MatLike
"""float32 array, (H, W) unless stated otherwise."""

BAND = 0.006
"""Half-width of the band along the mask edge in which alpha is estimated, as a fraction of the longer image side."""
WIDE_BLUR, NARROW_BLUR = 45, 6
"""Radii of the two passes of the foreground estimate, in pixels; the wide one grows on large photos."""
REGULARISATION = 1e-4
"""Colour variance in a window below which alpha does not follow the colours (He et al., epsilon)."""
WIDE_SIDE = 1024
"""Longer side at which the wide pass is computed, in pixels."""
TILE = 256
"""Side of the tiles in which full-size work is done, in pixels."""
MIN_PART = 0.02
"""Minimum area of a part, as a fraction of the largest part; holes below the square of this are filled."""


def clean(mask: Mask) -> Mask:
    """Remove specks and fill pinholes: parts much smaller than the largest, and holes smaller still.

    Args:
        mask: (H, W) bool; True marks the product.
    """
    if not mask.any():
        return mask
    product, largest = _without_specks(mask)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~product).astype(np.uint8))
    pinhole = np.concatenate([[False], stats[1:, cv2.CC_STAT_AREA] < largest * MIN_PART**2])
    return np.asarray(product | pinhole[labels])


def specks(mask: Mask) -> Mask:
    """Return the parts of a mask, (H, W), that are much smaller than the largest."""
    return np.asarray(mask & ~_without_specks(mask)[0]) if mask.any() else mask


def _without_specks(mask: Mask) -> tuple[Mask, int]:
    """Return a mask without its specks, and the area of its largest part, in pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= areas.max() * MIN_PART])
    return np.asarray(kept[labels]), int(areas.max())


def refine(photo: Pixels, mask: Mask, working_size: int) -> Plane:
    """Estimate alpha in a narrow band along the mask edge, following the colours of the photo.

    A guided filter (He et al., "Guided Image Filtering", 2010; computed at reduced size as in "Fast Guided Filter",
    2015) fits alpha as a linear function of colour in every window. Over hair, the band is wide and the linear function
    comes from hair.py. Away from the edge, the mask is kept.

    Args:
        photo: (H, W, 3).
        mask: (h, w) bool, any size; True marks the product.
        working_size: Longer side at which the filter is computed before it is applied at full size, in pixels.

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
    near = cv2.dilate(edge.possible - edge.sure, disc(radius)) > 0
    guided = GuidedFilter(guide, radius, near)
    slope, offset = guided.refit(*guided.fit(rough), rough)
    hair = key_hair(guide, rough)
    slope[hair.trusted], offset[hair.trusted] = hair.slope[hair.trusted], hair.offset[hair.trusted]
    sure = np.where(hair.trusted, hair.trimap.sure, edge.sure)
    possible = np.where(hair.trusted, hair.trimap.possible, edge.possible)
    alpha = cv2.resize(sure, (width, height))
    band = cv2.dilate((possible > sure).astype(np.uint8), np.ones((3, 3), np.uint8))
    for tile in tiles(0, 0, width, height):
        if not part_of(band, tile, height, width).any():
            continue
        least, most = (part_of(plane, tile, height, width) for plane in (sure, possible))
        slopes, offsets = (part_of(plane, tile, height, width) for plane in (slope, offset))
        fitted = np.einsum("hwc,hwc->hw", photo[tile], slopes, dtype=np.float32) / 255 + offsets
        alpha[tile] = np.clip(_contrast(fitted), least, most)
    return alpha


def tiles(first_column: int, first_row: int, width: int, height: int) -> Iterator[Tile]:
    """Yield the tiles of a rectangle, to bound the memory of full-size work."""
    right, bottom = first_column + width, first_row + height
    for top in range(first_row, bottom, TILE):
        for left in range(first_column, right, TILE):
            yield slice(top, min(top + TILE, bottom)), slice(left, min(left + TILE, right))


def part_of(plane: MatLike, tile: Tile, height: int, width: int) -> MatLike:
    """Return one tile of a plane scaled up to height by width, without scaling the rest."""
    rows, columns = tile
    down, across = plane.shape[0] / height, plane.shape[1] / width
    # Pixel centres lie at half-integers.
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
    """Stretch alpha so that nearly clear and nearly solid pixels saturate: the filter leaves a veil there."""
    return (alpha - 0.1) / 0.8


def disc(radius: int) -> MatLike:
    """Return a disc of some radius, in pixels, to erode and dilate with."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


class GuidedFilter:
    """The colour guided filter (He et al., equations 14 and 15) of one guide.

    Only windows where `near` is True are solved; the others enter the mean with slope and offset 0.

    Args:
        guide: (H, W, 3) float32, 0 to 1.
        radius: Half the side of the windows, in pixels.
        near: (H, W) bool.
    """

    def __init__(self, guide: MatLike, radius: int, near: Mask) -> None:
        self._guide = guide
        self._window = (2 * radius + 1, 2 * radius + 1)
        self._near = np.flatnonzero(near)
        self._colours = guide.reshape(-1, 3)[self._near]
        self._mean_colours = self._means(guide)
        red, green, blue = cv2.split(guide)
        pairs = cv2.merge([red * red, red * green, red * blue]), cv2.merge([green * green, green * blue, blue * blue])
        (rr, rg, rb), (gg, gb, bb) = (self._means(pair).T for pair in pairs)
        products = np.stack([rr, rg, rb, rg, gg, gb, rb, gb, bb], -1).reshape(-1, 3, 3)
        variance = products - self._mean_colours[:, :, None] * self._mean_colours[:, None, :]
        self._inverse = np.linalg.inv(variance + REGULARISATION * np.eye(3, dtype=np.float32))

    def fit(self, target: Plane) -> tuple[MatLike, Plane]:
        """Return the slope (H, W, 3) and offset (H, W) by which the guide's colours give a target, (H, W)."""
        mean_target = self._means(target)
        covariance = self._means(self._guide * target[..., None]) - self._mean_colours * mean_target[:, None]
        slopes = np.einsum("nij,nj->ni", self._inverse, covariance)
        slope, offset = np.zeros_like(self._guide), np.zeros_like(target)
        slope.reshape(-1, 3)[self._near] = slopes
        offset.reshape(-1)[self._near] = mean_target - np.einsum("nc,nc->n", slopes, self._mean_colours)
        return cv2.blur(slope, self._window), cv2.blur(offset, self._window)

    def refit(self, slope: MatLike, offset: Plane, target: Plane) -> tuple[MatLike, Plane]:
        """Return the fit to the outline that a fit to a target gave: a mask's own is off by up to a pixel."""
        nearer = (target > 0.5).astype(np.float32)
        slopes, offsets = slope.reshape(-1, 3)[self._near], offset.reshape(-1)[self._near]
        nearer.reshape(-1)[self._near] = np.einsum("nc,nc->n", self._colours, slopes) + offsets > 0.5
        return self.fit(nearer)

    def _means(self, values: MatLike) -> MatLike:
        """Return the means of the windows that are solved, (n,) or (n, 3)."""
        return cv2.blur(values, self._window).reshape(-1, *values.shape[2:])[self._near]


def estimate_foreground(photo: Pixels, alpha: Plane) -> Pixels:
    """Estimate the product's own colours along its soft edge, where the photo shows a mix with the background.

    Blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021), one wide and one narrow pass. The
    wide one is smooth, and computed at reduced size. Solid pixels are returned unchanged.

    Args:
        photo: (H, W, 3).
        alpha: (H, W), 0 to 1.

    Returns:
        (H, W, 3); undefined where alpha is 0.
    """
    height, width = alpha.shape
    front, back = _wide_blur(photo, alpha)
    foreground = photo.copy()
    for tile in tiles(*cv2.boundingRect((alpha > 0).view(np.uint8))):
        share = alpha[tile]
        if ((share > 0) & (share < 1)).any():
            around, inner = _with_margin(tile, alpha.shape, NARROW_BLUR)
            wide = [part_of(plane, around, height, width) for plane in (front, back)]
            estimated = _foreground_of(photo[around], alpha[around], *wide)[inner]
            foreground[tile] = np.where((share < 1)[..., None], estimated, photo[tile])
    return foreground


def _wide_blur(photo: Pixels, alpha: Plane) -> tuple[MatLike, MatLike]:
    """Return the mean colours of product and background around each pixel, (h, w, 3) each, at reduced size."""
    height, width = alpha.shape
    scale = min(1.0, WIDE_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    share = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    return _means(small, small, share, round(max(WIDE_BLUR, 0.02 * max(alpha.shape)) * scale))


def _with_margin(tile: Tile, shape: tuple[int, ...], margin: int) -> tuple[Tile, Tile]:
    """Return a tile grown by a margin, clipped to the image, and the position of the tile within it."""
    outer = [
        slice(max(0, part.start - margin), min(side, part.stop + margin))
        for part, side in zip(tile, shape, strict=True)
    ]
    inner = [slice(part.start - wide.start, part.stop - wide.start) for part, wide in zip(tile, outer, strict=True)]
    return (outer[0], outer[1]), (inner[0], inner[1])


def _foreground_of(photo: Pixels, alpha: Plane, front: MatLike, back: MatLike) -> Pixels:
    picture = photo.astype(np.float32) / 255
    colour = _fused(picture, front, back, alpha)
    front, back = _means(colour, back, alpha, NARROW_BLUR)
    return np.round(np.clip(_fused(picture, front, back, alpha), 0, 1) * 255).astype(np.uint8)


def _means(foreground: MatLike, background: MatLike, alpha: Plane, radius: int) -> tuple[MatLike, MatLike]:
    """Return the means of foreground and background in a window, weighted by how much of each a pixel shows."""
    window = (2 * radius + 1, 2 * radius + 1)
    share = alpha[..., None]
    blurred_alpha = cv2.blur(alpha, window)[..., None]
    front = cv2.blur(foreground * share, window) / (blurred_alpha + 1e-5)
    back = cv2.blur(background * (1 - share), window) / (1 - blurred_alpha + 1e-5)
    return front, back


def _fused(picture: MatLike, front: MatLike, back: MatLike, alpha: Plane) -> MatLike:
    """Return the foreground nearest to a mean that explains the picture together with the background."""
    share = alpha[..., None]
    return np.asarray(front + share * (picture - share * front - (1 - share) * back))
