"""The far edge of a ground, a straight line out of focus: the grain that few samples leave in it is taken out."""

import cv2
import numpy as np

from services.generation.engines.set.panorama import Light

ALONG = 1 / 25
"""Reach of the average along the edge (Gaussian sigma) over the width of the picture."""
BESIDE = 3
"""Distance from the product within which the edge is left alone, in pixels."""


def smooth_horizon(traced: Light, product: Light) -> Light:
    """Return a picture whose far edge of the ground is averaged along itself, except where the product is.

    Args:
        traced: (H, W, 10): colour, coverage, albedo and normal, as `trace` returns them.
        product: Where the product is, (H, W), 0 to 1.
    """
    width = traced.shape[1]
    beside = np.ones((2 * BESIDE + 1, 2 * BESIDE + 1), np.uint8)
    free = 1 - np.asarray(cv2.dilate((product > 0).astype(np.float32), beside), np.float32)
    cover = (traced[..., 3] * free).sum(axis=1) / np.maximum(free.sum(axis=1), 1)
    is_edge = np.clip(8 * cover * (1 - cover), 0, 1)
    rows = np.flatnonzero(is_edge > 0.01)
    if not len(rows):
        return traced
    part, free = traced[rows], free[rows]
    sigma = ALONG * width
    share = cv2.GaussianBlur(free, (0, 0), sigmaX=sigma, sigmaY=0.01)
    total = cv2.GaussianBlur(part * free[..., None], (0, 0), sigmaX=sigma, sigmaY=0.01)
    mean = total / np.maximum(share, 1e-3)[..., None]
    weight = (is_edge[rows, None] * free * (share > 0.01))[..., None]
    smooth = traced.copy()
    smooth[rows] = part * (1 - weight) + mean * weight
    return smooth
