"""Colour decontamination of a product's soft edge, where traces of the photo's background show as a rim."""

import cv2
import numpy as np

from services.generation.srgb import Light

REACH = 1.5
"""Distance that colours spread outwards (Gaussian sigma), in creative pixels."""
SOLID = 0.985


def clean_edges(layer: Light) -> Light:
    """Recolour edge pixels from the solid product beside them, where there is any.

    Hair and glass, which have nothing solid beside them, keep their colours; solid pixels are unchanged.

    Args:
        layer: (h, w, 4), premultiplied, at its size in the creative.
    """
    alpha = layer[..., 3:]
    solid = (alpha >= SOLID).astype(np.float32)
    share = cv2.GaussianBlur(solid[..., 0], (0, 0), REACH)[..., None]
    beside = cv2.GaussianBlur(layer[..., :3] * solid, (0, 0), REACH) / np.maximum(share, 1e-4)
    weight = np.clip(8 * share, 0, 1) * (1 - solid)
    colours = (1 - weight) * layer[..., :3] + weight * beside * alpha
    return np.dstack([np.clip(colours, 0, alpha), alpha])
