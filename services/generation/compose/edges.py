"""Cleaning the colours of a product's soft edge: a trace of the photo's background in them shows as a rim."""

import cv2
import numpy as np

from services.generation.light import Light

REACH = 1.5
"""How far a colour is carried outwards, in pixels of the ad."""
SOLID = 0.985


def clean_edges(layer: Light) -> Light:
    """Give edge pixels the colour of the solid product beside them, as far as there is any.

    Hair and glass, which have nothing solid beside them, keep their own colours; solid pixels keep theirs exactly.

    Args:
        layer: (h, w, 4), premultiplied, at its size in the ad.
    """
    alpha = layer[..., 3:]
    solid = (alpha >= SOLID).astype(np.float32)
    share = cv2.GaussianBlur(solid[..., 0], (0, 0), REACH)[..., None]
    beside = cv2.GaussianBlur(layer[..., :3] * solid, (0, 0), REACH) / np.maximum(share, 1e-4)
    weight = np.clip(8 * share, 0, 1) * (1 - solid)
    colours = (1 - weight) * layer[..., :3] + weight * beside * alpha
    return np.dstack([np.clip(colours, 0, alpha), alpha])
