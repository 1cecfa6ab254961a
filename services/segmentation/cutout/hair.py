"""Hair: where fine strands stand against a background of one colour, alpha is computed from colour alone."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask
from services.segmentation.cutout.trimap import Trimap, trimap_around

Plane = MatLike
"""float32 array, (H, W) unless stated otherwise."""

WORKING_SIZE = 768
"""Longer side at which hair is detected, in pixels."""
BAND = 0.045
"""Half-width of the band along the mask edge that is searched for hair, as a fraction of the longer image side."""
MAX_SPREAD = 0.3
"""Maximum colour spread, as a fraction of the colour distance between product and background, to tell them apart."""
MAX_RESIDUE = 0.1
"""Maximum squared distance of a colour from the line between the two, as a fraction of its squared length."""
STRAND = 2.5
"""Sigma of the Gaussian that separates strands from coarser detail, in pixels."""
MIN_DETAIL = 0.17
"""Minimum RMS of the fine detail in alpha; a plain edge has about 0.1, hair 0.2."""


@dataclass(frozen=True)
class Keyed:
    """Alpha as a linear function of colour: alpha = slope * colour + offset.

    Attributes:
        slope: (H, W, 3).
        offset: (H, W).
        trimap: Band that is searched for hair.
        trusted: (H, W) bool; True where hair is detected and the function holds.
    """

    slope: MatLike
    offset: Plane
    trimap: Trimap
    trusted: Mask


def key_hair(guide: MatLike, rough: Plane) -> Keyed:
    """Project colours onto the line from the background colour (alpha 0) to the product colour (alpha 1).

    This solves the compositing equation I = alpha F + (1 - alpha) B for alpha by least squares. F and B are the mean
    colours of the definite product and the definite background nearby.

    Args:
        guide: (H, W, 3) float32, 0 to 1.
        rough: (H, W) float32; above 0.5 is product.
    """
    height, width = rough.shape
    scale = min(1.0, WORKING_SIZE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small, mask = (cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in (guide, rough))
    reach = max(3, round(BAND * max(size)))
    band = trimap_around(mask, reach)
    slope, offset, trusted = _key(small, band, reach)

    def enlarged(plane: MatLike) -> MatLike:
        return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)

    return Keyed(
        enlarged(slope),
        enlarged(offset),
        Trimap(enlarged(band.sure), enlarged(band.possible)),
        np.asarray(enlarged(trusted.astype(np.float32)) > 0.5),
    )


def _key(guide: MatLike, band: Trimap, reach: int) -> tuple[MatLike, Plane, Mask]:
    product, product_spread, near_product = _local_colours(guide, band.sure, 2 * reach)
    ground, ground_spread, near_ground = _local_colours(guide, 1 - band.possible, 2 * reach)
    line = product - ground
    length = np.einsum("hwc,hwc->hw", line, line) + 1e-6
    slope = line / length[..., None]
    offset = -np.einsum("hwc,hwc->hw", slope, ground)
    alpha = np.einsum("hwc,hwc->hw", slope, guide) + offset
    residue = ((guide - ground - alpha[..., None] * line) ** 2).sum(axis=-1) / length
    known = (band.possible > band.sure) & near_product & near_ground
    apart = (product_spread + ground_spread) / np.sqrt(length) < MAX_SPREAD
    detail = _fine_detail(np.clip(alpha, 0, 1), known.astype(np.float32), reach)
    trusted = known & apart & (residue < MAX_RESIDUE) & (detail > MIN_DETAIL)
    # Hair covers an area; isolated spots are a pattern or an edge.
    return slope, offset, _opened(trusted, reach // 3)


def _local_colours(guide: MatLike, weight: Plane, reach: int) -> tuple[MatLike, Plane, Mask]:
    """Return the weighted mean colour in each window, its standard deviation, and where the window has any weight."""
    window = (2 * reach + 1, 2 * reach + 1)
    total = cv2.blur(weight, window)
    share = np.maximum(total, 1e-6)[..., None]
    mean = cv2.blur(guide * weight[..., None], window) / share
    variance = cv2.blur(guide * guide * weight[..., None], window) / share - mean * mean
    return mean, np.sqrt(np.maximum(variance, 0).sum(axis=-1)), np.asarray(total > 1e-3)


def _fine_detail(alpha: Plane, weight: Plane, reach: int) -> Plane:
    """Return the weighted RMS of detail at strand scale in each window."""
    window = (2 * reach + 1, 2 * reach + 1)
    fine = alpha - cv2.GaussianBlur(alpha, (0, 0), STRAND)
    share = np.maximum(cv2.blur(weight, window), 1e-6)
    return np.sqrt(np.maximum(cv2.blur(fine * fine * weight, window), 0) / share)


def _opened(mask: Mask, radius: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0)
