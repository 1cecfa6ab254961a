"""Hair: where fine strands stand before a ground of one colour, alpha is told from the colour alone."""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from services.segmentation.engine import Mask
from services.segmentation.trimap import Trimap, trimap_around

Plane = MatLike
"""float32 arrays, (H, W) unless said otherwise."""

WORKING_SIZE = 768
"""The longer side at which hair is looked for, in pixels."""
BAND = 0.045
"""Half the width of the band along the mask's edge in which hair is looked for, as a part of the longer side."""
LARGEST_SPREAD = 0.25
"""Colours that vary more than this, as a part of the distance between product and ground, do not tell the two apart."""
LARGEST_RESIDUE = 0.1
"""How far a colour may lie off the line between the two, squared, as a part of the line's length squared."""
STRAND = 2.5
"""Detail finer than this is a strand's, in pixels."""
LEAST_DETAIL = 0.17
"""A plain edge has about 0.1 of fine detail in its alpha, root mean square; hair has 0.2."""


@dataclass(frozen=True)
class Keyed:
    """Alpha as a linear function of colour: alpha = slope * colour + offset.

    Attributes:
        slope: (H, W, 3).
        offset: (H, W).
        trimap: Where it is to be looked for.
        trusted: (H, W), true where hair is seen and the function holds.
    """

    slope: MatLike
    offset: Plane
    trimap: Trimap
    trusted: Mask


def key_hair(guide: MatLike, rough: Plane) -> Keyed:
    """Project colours on the line from the ground's colour (alpha 0) to the product's (alpha 1).

    The compositing equation I = alpha F + (1 - alpha) B, solved for alpha by least squares. F and B are the means of
    what is surely product and surely ground nearby.

    Args:
        guide: (H, W, 3) float32, 0 to 1.
        rough: (H, W) float32, over 0.5 = product.
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
    apart = (product_spread + ground_spread) / np.sqrt(length) < LARGEST_SPREAD
    detail = _fine_detail(np.clip(alpha, 0, 1), known.astype(np.float32), reach)
    trusted = known & apart & (residue < LARGEST_RESIDUE) & (detail > LEAST_DETAIL)
    # Hair covers an area; single spots of it are a pattern or an edge.
    return slope, offset, _opened(trusted, reach // 3)


def _local_colours(guide: MatLike, weight: Plane, reach: int) -> tuple[MatLike, Plane, Mask]:
    """Give the mean colour of the weighted pixels nearby, their standard deviation, and where there are any."""
    window = (2 * reach + 1, 2 * reach + 1)
    total = cv2.blur(weight, window)
    share = np.maximum(total, 1e-6)[..., None]
    mean = cv2.blur(guide * weight[..., None], window) / share
    variance = cv2.blur(guide * guide * weight[..., None], window) / share - mean * mean
    return mean, np.sqrt(np.maximum(variance, 0).sum(axis=-1)), np.asarray(total > 1e-3)


def _fine_detail(alpha: Plane, weight: Plane, reach: int) -> Plane:
    """Give the root mean square of what is finer than a strand, nearby."""
    window = (2 * reach + 1, 2 * reach + 1)
    fine = alpha - cv2.GaussianBlur(alpha, (0, 0), STRAND)
    share = np.maximum(cv2.blur(weight, window), 1e-6)
    return np.sqrt(np.maximum(cv2.blur(fine * fine * weight, window), 0) / share)


def _opened(mask: Mask, radius: int) -> Mask:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc) > 0)
