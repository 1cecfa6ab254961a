"""Scores of a cut-out against the true alpha of its picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Alpha = NDArray[np.float32]
Mask = NDArray[np.bool_]

BOUNDARY_TOLERANCE = 0.008
"""Tolerance of the boundary F-score, as a fraction of the image diagonal (Perazzi et al., DAVIS, 2016)."""
BOUNDARY_RADII = 5
"""Widths of the band in which the boundary accuracy is the mean (Cheng et al., CascadePSP, 2020)."""
GRADIENT_SIGMA = 1.4
"""Of the gradient error (Rhemann et al., 2009), in pixels."""
SMALLEST_OPENING = 0.002
"""Area of an opening that counts, as a fraction of the product."""
OPEN, KEPT = 0.8, 0.99
"""Part of an opening that must be clear, and of a product's middle that must be kept."""
MIDDLE = 0.02
"""How far inside the outline the middle begins, as a fraction of the image diagonal."""
SEEN_THROUGH = 0.2
"""Largest mean error of alpha where glass is clear."""
CLEAR = 0.5
"""Part of the light from behind that glass lets through where it counts as clear."""


@dataclass(frozen=True)
class Scores:
    """Scores of one picture.

    Attributes:
        iou: IoU of the masks at alpha > 0.5; of glass, the silhouette's.
        mae: Mean absolute error of alpha, 0 to 1.
        boundary_f: F-score of the outlines.
        mba: Mean accuracy of the mask in bands along the true outline, 0 to 1.
        gradient: Sum of the squared error of alpha's gradient, in thousands.
        openings: How many the product has.
        opened: How many of them are open.
        is_kept: Whether the product's middle is.
        is_clear: Whether glass is seen through; None if the product is not glass.
        seconds: Time of the method.
    """

    iou: float
    mae: float
    boundary_f: float
    mba: float
    gradient: float
    openings: int
    opened: int
    is_kept: bool
    is_clear: bool | None
    seconds: float


def score(alpha: Alpha, truth: Alpha, seconds: float = 0.0, clear: Alpha | None = None) -> Scores:
    """Score a cut-out.

    Args:
        alpha: Alpha of the cut-out, (H, W), 0 to 1.
        truth: Part of each pixel that the product covers, (H, W), 0 to 1.
        seconds: Time of the method.
        clear: Part of the light from behind that each pixel of the product lets through, (H, W), if it is glass.
    """
    true_alpha = truth if clear is None else np.asarray(truth * (1 - clear), np.float32)
    found, true = alpha > (0.5 if clear is None else 0.02), truth > 0.5
    openings = list(_openings(true))
    middle = _eroded(true, MIDDLE * float(np.hypot(*true.shape)))
    is_clear = None
    if clear is not None:
        through = middle & (clear > CLEAR)
        is_clear = bool(np.abs(alpha - true_alpha)[through].mean() <= SEEN_THROUGH) if through.any() else None
    return Scores(
        iou=float((found & true).sum() / max(1, (found | true).sum())),
        mae=float(np.abs(alpha - true_alpha).mean()),
        boundary_f=_boundary_f(found, true),
        mba=_boundary_accuracy(found, true),
        gradient=float(((_gradient(alpha) - _gradient(true_alpha)) ** 2).sum() / 1000),
        openings=len(openings),
        opened=sum(float((~found)[opening].mean()) >= OPEN for opening in openings),
        is_kept=not middle.any() or float(found[middle].mean()) >= KEPT,
        is_clear=is_clear,
        seconds=seconds,
    )


def _openings(true: Mask) -> Iterator[Mask]:
    """Yield the regions of the ground that the product encloses."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~true).astype(np.uint8), connectivity=4)
    outside = set(np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])))
    for part in range(1, count):
        if part not in outside and stats[part, cv2.CC_STAT_AREA] >= SMALLEST_OPENING * true.sum():
            yield np.asarray(labels == part)


def _disc(radius: float) -> NDArray[np.uint8]:
    reach = max(1, round(radius))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)), np.uint8)


def _eroded(mask: Mask, radius: float) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius), borderType=cv2.BORDER_REPLICATE) > 0)


def _boundary_f(found: Mask, true: Mask) -> float:
    disc = _disc(BOUNDARY_TOLERANCE * float(np.hypot(*found.shape)))
    outlines = [_outline(mask) for mask in (found, true)]
    near = [cv2.dilate(outline.astype(np.uint8), disc) > 0 for outline in outlines]
    precision = float((outlines[0] & near[1]).sum() / max(1, outlines[0].sum()))
    recall = float((outlines[1] & near[0]).sum() / max(1, outlines[1].sum()))
    return 2 * precision * recall / max(1e-9, precision + recall)


def _boundary_accuracy(found: Mask, true: Mask) -> float:
    outline = _outline(true).astype(np.uint8)
    widest = max(4.0, sum(true.shape) / 300)
    bands = [cv2.dilate(outline, _disc(radius)) > 0 for radius in np.linspace(1, widest, BOUNDARY_RADII)]
    return float(np.mean([(found == true)[band].mean() if band.any() else 1.0 for band in bands]))


def _outline(mask: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0)


def _gradient(alpha: Alpha) -> Alpha:
    smooth = cv2.GaussianBlur(alpha, (0, 0), GRADIENT_SIGMA)
    return np.asarray(np.hypot(cv2.Sobel(smooth, -1, 1, 0, scale=1 / 8), cv2.Sobel(smooth, -1, 0, 1, scale=1 / 8)))
