"""From a rough mask to a matte: soft alpha along true edges, and colours without the old background."""

import cv2
import numpy as np
from cv2.typing import MatLike

from services.runtime.image import Pixels
from services.segmentation.engine import Mask

Plane = MatLike
"""float32 arrays, (H, W) unless said otherwise."""

BAND = 0.006
"""Half the width of the band along the mask's edge in which alpha is looked for, as a part of the longer side."""
GUIDE_SIZE = 1536
"""The longer side at which the guided filter is worked out; its result is applied at full size."""
WIDE_BLUR, NARROW_BLUR = 45, 6
"""Radii of the two passes of the colour estimate, in pixels; the wide one grows with large photos."""
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


def refine(photo: Pixels, mask: Mask) -> Plane:
    """Find alpha in a narrow band along the mask's edge, by letting it follow the photo's colours.

    A guided filter (He et al., "Guided Image Filtering", 2010; worked out at reduced size as in "Fast Guided Filter",
    2015) fits alpha as a linear function of colour in every window. Away from the edge the mask stands.

    Args:
        photo: (H, W, 3).
        mask: (h, w) of any size, true = product.

    Returns:
        (H, W) float32, 0 to 1.
    """
    height, width = photo.shape[:2]
    scale = min(1.0, GUIDE_SIZE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    guide = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rough = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    band = max(2, round(BAND * max(size)))
    slope, offset = _guided_filter(guide, rough, band)
    full_slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    full_offset = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    alpha = np.einsum("hwc,hwc->hw", photo, full_slope, dtype=np.float32) / 255 + full_offset
    sure, possible = _band(rough, band)
    alpha = np.maximum(alpha, cv2.resize(sure, (width, height)))
    return np.clip(_contrast(alpha), 0, cv2.resize(possible, (width, height)))


def _contrast(alpha: Plane) -> Plane:
    """Bring what is nearly clear or nearly solid to the end of its range: the filter leaves a veil there."""
    return (alpha - 0.1) / 0.8


def _band(rough: Plane, band: int) -> tuple[Plane, Plane]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    solid = (rough > 0.5).astype(np.float32)
    # What the frame cuts off is not an edge of the product.
    padded = cv2.copyMakeBorder(solid, band, band, band, band, cv2.BORDER_REPLICATE)
    inner = slice(band, -band)
    return cv2.erode(padded, kernel)[inner, inner], cv2.dilate(padded, kernel)[inner, inner]


def _guided_filter(guide: MatLike, target: Plane, radius: int) -> tuple[MatLike, Plane]:
    """Give the slope (H, W, 3) and the offset (H, W) of the colour guided filter (He et al., equations 14 and 15)."""
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: MatLike) -> MatLike:
        return cv2.blur(values, window)

    mean_guide, mean_target = mean(guide), mean(target)
    covariance = mean(guide * target[..., None]) - mean_guide * mean_target[..., None]
    products = guide[..., :, None] * guide[..., None, :]
    height, width = target.shape
    mean_products = mean(products.reshape(height, width, 9)).reshape(height, width, 3, 3)
    variance = mean_products - mean_guide[..., :, None] * mean_guide[..., None, :]
    regularised = variance + 1e-4 * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(regularised, covariance[..., None])[..., 0]
    offset = mean_target - np.einsum("hwc,hwc->hw", slope, mean_guide)
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
    edge = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8), np.ones((3, 3), np.uint8))
    if not edge.any():
        return photo
    wide = max(WIDE_BLUR, round(0.02 * max(alpha.shape)))
    picture = photo.astype(np.float32) / 255
    colour, background = _blur_fusion(picture, picture, picture, alpha, wide)
    colour, _ = _blur_fusion(picture, colour, background, alpha, NARROW_BLUR)
    estimated = np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)
    return np.where((alpha < 1)[..., None], estimated, photo)


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
