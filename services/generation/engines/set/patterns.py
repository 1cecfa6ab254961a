"""Patterns that the key light casts on the set (gobos): leaves, a window or a soft box."""

from collections.abc import Callable

import cv2
import numpy as np

from services.generation.engines.set.solids import Plane

SIZE = 768
Pattern = Callable[[np.random.Generator], Plane]


def leaves(rng: np.random.Generator) -> Plane:
    """Return the shadow of palm leaves that reach in from one side."""
    shade = np.ones((SIZE, SIZE), np.float32)
    side = rng.choice([-1, 1])
    for _ in range(3):
        root = np.array([SIZE / 2 - side * SIZE * 0.36, SIZE * rng.uniform(0.02, 0.4)])
        heading = np.arctan2(rng.uniform(-0.1, 0.5), side * 1.0)
        _palm_leaf(shade, root, heading, SIZE * rng.uniform(0.3, 0.42))
    return _softened(shade, 5, 0.5)


def _palm_leaf(
    shade: Plane, root: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", heading: float, length: float
) -> None:
    for part in np.linspace(0.12, 1, 11):
        bent = heading + 0.5 * part * np.sign(np.cos(heading))
        stem = root + part * length * np.array([np.cos(bent), np.sin(bent)])
        for turn in (-1, 1):
            angle = bent + turn * (1.15 - 0.55 * part)
            half = length * 0.21 * (1.05 - 0.6 * part)
            middle = stem + half * np.array([np.cos(angle), np.sin(angle)])
            axes = round(half), max(2, round(length * 0.03))
            place = round(float(middle[0])), round(float(middle[1]))
            cv2.ellipse(shade, place, axes, float(np.degrees(angle)), 0, 360, 0.0, cv2.FILLED, cv2.LINE_AA)


def window(rng: np.random.Generator) -> Plane:
    """Return daylight through a slanted window with panes."""
    shade = np.zeros((SIZE, SIZE), np.float32)
    slant = rng.uniform(-0.25, 0.25)
    left, width, height = SIZE * rng.uniform(0.27, 0.37), SIZE * 0.17, SIZE * 0.2
    for row in range(3):
        for column in range(2):
            x, y = left + column * (width + 14), SIZE * 0.17 + row * (height + 14)
            corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
            sheared = np.array([(px + slant * (py - SIZE / 2), py) for px, py in corners]).round().astype(np.int32)
            cv2.fillPoly(shade, [sheared], 1.0, cv2.LINE_AA)
    return _softened(shade, 8, 0.45)


def soft(rng: np.random.Generator) -> Plane:
    """Return the light of a large soft box, fading to one side."""
    ramp = np.linspace(1, rng.uniform(0.6, 0.8), SIZE, dtype=np.float32)
    if rng.random() < 0.5:
        ramp = ramp[::-1]
    return np.ascontiguousarray(np.broadcast_to(ramp, (SIZE, SIZE)))


def _softened(shade: Plane, blur: float, least: float) -> Plane:
    blurred = cv2.GaussianBlur(shade, (0, 0), blur)
    return np.asarray(least + (1 - least) * blurred, np.float32)
