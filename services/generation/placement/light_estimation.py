"""Light of a picture, as the shadows of the things that stand in it tell.

Around the foot of each thing, the ground is darker on the side away from the light.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import Mask, Pixels
from services.generation.placement.found import Thing
from services.generation.placement.placement import SceneLight

Plane = NDArray[np.float32]

DIRECTIONS, DISTANCES = 24, 12
ANGLES = np.arange(DIRECTIONS) * 2 * math.pi / DIRECTIONS
"""Directions on the ground: 0 is to the right, a quarter turn is away from the viewer."""
NEAR, FAR = 0.08, 1.0
"""Distances from the edge of a foot at which shadows are looked for, in widths or heights of the thing, the smaller."""
LEAST_GROUND = 0.3
"""Part of the places around a foot that must show the ground."""
LIT = 0.7
"""Quantile of the ground's brightness that counts as lit."""
LEAST, DARKEST = 0.07, 0.6
"""Darkness below which there is no shadow to speak of, since no ground is quite even; and the most that is painted."""
LEAN = (0.25, 0.85)
"""Bounds of a shadow's length over the height of the thing."""
LEAST_TOWARDS = -0.2
"""How far light comes from behind at most: the ground is darker before a thing for other reasons, too."""
SHARPEST, SOFTEST = 0.4, 2.5
"""Bounds of the softness of a shadow; 1 is a lamp's in a room."""
EDGE = 0.24
"""Width of the edge of a shadow whose softness is 1, over the distance at which shadows are looked for."""


def find_light(picture: Pixels, surface: Mask, things: Sequence[Thing], pitch: float) -> SceneLight | None:
    """Return the light whose shadows show on a surface; None if none do.

    Args:
        picture: (H, W, 3); it is reduced to the size of the masks.
        surface: What the things stand on, (h, w) bool.
        things: The things, in the size of the surface.
        pitch: Angle by which the camera looks down, in radians.
    """
    height, width = surface.shape
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    light = np.log(np.maximum(small, 0.02) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722], np.float32))
    ground = surface.copy()
    for thing in things:
        ground &= cv2.dilate(thing.mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    seen = [
        (reach(thing), dark)
        for thing in things
        if (dark := _darkness(thing, light, ground, math.sin(pitch))) is not None
    ]
    if not seen:
        return None
    # Shadows of large things are seen better: (directions, distances).
    dark = np.average([dark for _, dark in seen], axis=0, weights=[weight for weight, _ in seen])
    by_direction = dark.mean(axis=1)
    strongest = int(np.argmax(by_direction))
    depth = float(dark[strongest].max())
    if depth < LEAST:
        return None
    aside, back = (float((by_direction * part).sum()) for part in (np.cos(ANGLES), np.sin(ANGLES)))
    length = math.hypot(aside, back) or 1.0
    lean = LEAN[0] + (LEAN[1] - LEAN[0]) * float((dark[strongest] > depth / 2).mean())
    return SceneLight(
        right=-lean * aside / length,
        up=1.0,
        towards=max(LEAST_TOWARDS, lean * back / length),
        shadow=min(DARKEST, depth),
        softness=_softness(dark[strongest], depth),
    )


def reach(thing: Thing) -> float:
    """Return how far around a thing its shadow is looked for, in pixels."""
    return max(6.0, float(min(thing.box.width, thing.box.height)))


def _darkness(thing: Thing, light: Plane, ground: Mask, foreshortening: float) -> NDArray[np.float64] | None:
    """Return how much darker the ground around a thing's foot is by direction and distance, (24, 12), 0 to 1.

    Args:
        thing: The thing.
        light: Logarithm of the luminance, (h, w).
        ground: The free ground, (h, w).
        foreshortening: Depth of the ground over its width, as it shows.

    Returns:
        None if too little ground shows.
    """
    height, width = ground.shape
    foot = thing.foot
    angle, away = np.meshgrid(ANGLES, np.linspace(NEAR, FAR, DISTANCES) * reach(thing), indexing="ij")
    away = away + foot.width / 2
    x = (foot.left + foot.right) / 2 + away * np.cos(angle)
    y = foot.bottom - foreshortening * (foot.width / 2 + away * np.sin(angle))
    column, row = np.round(x).astype(int), np.round(y).astype(int)
    is_inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = column.clip(0, width - 1), row.clip(0, height - 1)
    is_ground = is_inside & ground[row, column]
    if is_ground.mean() < LEAST_GROUND:
        return None
    values = np.where(is_ground, light[row, column], np.nan)
    return np.asarray(np.nan_to_num(np.clip(1 - np.exp(values - np.nanquantile(values, LIT)), 0, 1)), np.float64)


def _softness(along: NDArray[np.float64], depth: float) -> float:
    """Return how soft the end of a shadow is, from how fast it fades."""
    steepest = float(np.max(-np.diff(along), initial=0.0)) / depth
    step = (FAR - NEAR) / (DISTANCES - 1)
    return float(np.clip(step / max(steepest, 1e-3) / EDGE, SHARPEST, SOFTEST))


def side_light(picture: Pixels) -> SceneLight:
    """Return a light without evidence of shadows: it comes from the brighter side of the picture, (H, W, 3)."""
    small = cv2.resize(picture, (24, 24), interpolation=cv2.INTER_AREA)
    lightness = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 0]
    left, right = float(lightness[:, :8].mean()), float(lightness[:, -8:].mean())
    side = np.clip(3 * (right - left) / max(right + left, 1.0), -0.7, 0.7)
    return SceneLight(right=float(side), up=1.0, towards=0.4, shadow=0.3)
