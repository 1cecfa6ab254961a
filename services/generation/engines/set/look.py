"""How a product looks: its colour, the side from which its photo was lit, and whether it was seen from above."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.silhouette import silhouette
from services.generation.srgb import Light, encode

SIDE = 160
"""Longer side of the product at which it is looked at, in pixels."""
USUAL_PITCH = 0.13
PITCHES = (0.08, 0.42)
"""Least and most that a camera looks down, in radians."""
CLEARLY = 0.12
"""Difference of brightness from one side to the other, over the mean, that tells where light came from."""
BASE = 0.12
"""Height of the part of a product that tells how its foot is seen, as a fraction of its height."""
Lab = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """How a product looks.

    Attributes:
        colour: Mean colour (CIE Lab).
        outline: Mean colour near its outline, which is what a background must differ from (CIE Lab).
        lit_from: Side that is brighter: -1 the left, 1 the right, 0 neither.
        pitch: Angle from which it was seen, in radians above the level.
    """

    colour: Lab
    outline: Lab
    lit_from: int
    pitch: float


def look_at(cutout: Light) -> Look:
    """Look at a product.

    Args:
        cutout: (h, w, 4), linear, premultiplied.
    """
    scale = min(1.0, SIDE / max(cutout.shape[:2]))
    size = max(1, round(cutout.shape[1] * scale)), max(1, round(cutout.shape[0] * scale))
    small = np.asarray(cv2.resize(cutout, size, interpolation=cv2.INTER_AREA), np.float32)
    mask = silhouette(small)
    if not mask.any():
        mask[:] = True
    colours = encode(small[..., :3] / np.maximum(small[..., 3:], 1e-3)).astype(np.float32)
    lab = np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2Lab), np.float32)
    inner = np.asarray(cv2.erode(np.pad(mask, 1).astype(np.uint8), np.ones((7, 7), np.uint8)))[1:-1, 1:-1] > 0
    rim = mask & ~inner
    return Look(lab[mask].mean(axis=0), lab[rim].mean(axis=0), _lit_from(lab[..., 0], mask), _pitch(mask))


def _lit_from(lightness: Lab, mask: NDArray[np.bool_]) -> int:
    """Return the brighter side, by rows: labels and parts of other colours reach across most products."""
    tilts, weights = [], []
    for row, inside in zip(lightness, mask, strict=True):
        columns = np.nonzero(inside)[0]
        if len(columns) >= SIDE // 16:
            third = max(1, len(columns) // 3)
            tilts.append(float(row[columns[-third:]].mean() - row[columns[:third]].mean()))
            weights.append(len(columns))
    if not tilts:
        return 0
    tilt = float(np.average(tilts, weights=weights)) / max(float(lightness[mask].mean()), 10.0)
    return int(np.sign(tilt)) if abs(tilt) > CLEARLY else 0


def _pitch(mask: NDArray[np.bool_]) -> float:
    """Return from how far above a product was seen: a round foot shows as an ellipse, the flatter the more level."""
    rows, columns = mask.shape
    lowest = np.where(mask.any(axis=0), rows - 1 - np.argmax(mask[::-1], axis=0), -1)
    bottom = int(lowest.max())
    base = np.nonzero(lowest >= bottom - BASE * rows)[0]
    wide = len(base) >= 0.5 * columns and base[-1] - base[0] + 1 == len(base)
    if not wide:
        return USUAL_PITCH
    # The ends of the foot turn up into the sides: look between them.
    inside = base[len(base) // 8 : -(len(base) // 8) or None]
    ends = (lowest[inside[0]] + lowest[inside[-1]]) / 2
    share = 1 - math.sqrt(1 - (2 * abs(inside[0] - base.mean()) / len(base)) ** 2)
    sag = (bottom - ends) / max(share, 0.05)
    return float(np.clip(math.asin(min(1.0, sag / (len(base) / 2))), *PITCHES))
