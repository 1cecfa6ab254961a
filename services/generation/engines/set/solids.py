"""The solids that sets are built from, as signed distance functions.

Formulas: Inigo Quilez, "Distance functions". Lengths are in units of about half the shorter image side; y points up.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.floating[Any]]
"""float32, one value per point or pixel."""
Points = NDArray[np.floating[Any]]
"""(3, n) float32: x, y and z of n points."""
Vector = tuple[float, float, float]
Colour = tuple[float, float, float]
"""Linear red, green and blue, 0 to 1."""
Distance = Callable[[Points], Plane]


Texture = Callable[[Points], Plane]
"""Brightness factor of a surface at points of the set, around 1."""


@dataclass(frozen=True)
class Material:
    """Appearance of a surface.

    Attributes:
        colour: Base colour.
        gloss: Strength of highlights, 0 to 1.
        glow: Emitted light; above 0.5 it also lights its surroundings.
        mirror: Reflectance of its horizontal parts, 0 to 1.
        texture: Variation of the base colour.
    """

    colour: Colour
    gloss: float = 0.0
    glow: float = 0.0
    mirror: float = 0.0
    texture: Texture | None = None


@dataclass(frozen=True)
class Solid:
    """A solid in the set.

    Attributes:
        distance: Signed distance function, with the origin at its place.
        place: Position in the set.
        reach: Radius of a bounding sphere around its place.
        material: Appearance of its surface.
    """

    distance: Distance
    place: Vector
    reach: float
    material: Material

    def distance_from(self, points: Points) -> Plane:
        """Return the signed distance of points of the set from the solid."""
        return self.distance(points - np.array(self.place, np.float32)[:, None])


def sphere(radius: float) -> Distance:
    """Return a sphere centred at the origin."""
    return lambda p: _length(*p) - radius


def ellipsoid(x: float, y: float, z: float) -> Distance:
    """Return an ellipsoid with these semi-axes, centred at the origin; the distance is a bound, not exact."""

    def distance(p: Points) -> Plane:
        near = _length(p[0] / x, p[1] / y, p[2] / z)
        return (near - 1) * min(x, y, z)

    return distance


def cylinder(radius: float, height: float, rounding: float = 0.02) -> Distance:
    """Return an upright cylinder whose base is centred at the origin."""

    def distance(p: Points) -> Plane:
        beside = np.hypot(p[0], p[2]) - (radius - rounding)
        above = np.abs(p[1] - (height / 2)) - (height / 2 - rounding)
        return _outside(beside, above) - rounding

    return distance


def disc(radius: float, thickness: float) -> Distance:
    """Return a disc that faces the camera, centred at the origin."""

    def distance(p: Points) -> Plane:
        beside = np.hypot(p[0], p[1]) - (radius - 0.01)
        before = np.abs(p[2]) - (thickness / 2 - 0.01)
        return _outside(beside, before) - 0.01

    return distance


def arch(width: float, height: float, thickness: float) -> Distance:
    """Return an upright plate with a round top that faces the camera, its base centred at the origin."""

    def distance(p: Points) -> Plane:
        half = width / 2
        above = np.maximum(p[1] - (height - width / 2), 0)
        beside = np.hypot(p[0], above) - half + 0.02
        before = np.abs(p[2]) - (thickness / 2 - 0.02)
        return np.asarray(np.maximum(_outside(beside, before) - 0.02, -p[1]))

    return distance


def pierced_wall(width: float, height: float, thickness: float, opening: float, top: float) -> Distance:
    """Return an upright wall, its base centred at the origin, with an arched opening in the middle of its base.

    Args:
        width: Width of the wall.
        height: Height of the wall.
        thickness: Thickness of the wall.
        opening: Width of the opening.
        top: Height of the opening.
    """

    def distance(p: Points) -> Plane:
        a, b, c = np.abs(p[0]) - width / 2, np.abs(p[1] - height / 2) - height / 2, np.abs(p[2]) - thickness / 2
        wall = np.maximum(a, np.maximum(b, c))
        above = np.maximum(p[1] - (top - opening / 2), 0)
        return np.asarray(np.maximum(wall, opening / 2 - np.hypot(p[0], above)))

    return distance


def box(x: float, y: float, z: float, turn: float = 0.0, rounding: float = 0.02) -> Distance:
    """Return a box of size (x, y, z), its base centred at the origin, rotated about the y axis by turn, in radians."""
    cosine, sine = math.cos(turn), math.sin(turn)

    def distance(p: Points) -> Plane:
        across, along = cosine * p[0] - sine * p[2], sine * p[0] + cosine * p[2]
        a = np.abs(across) - (x / 2 - rounding)
        b = np.abs(p[1] - (y / 2)) - (y / 2 - rounding)
        c = np.abs(along) - (z / 2 - rounding)
        beyond = _length(np.maximum(a, 0), np.maximum(b, 0), np.maximum(c, 0))
        return np.asarray(beyond + np.minimum(np.maximum(a, np.maximum(b, c)), 0) - rounding)

    return distance


def ring(radius: float, thickness: float, lean: float) -> Distance:
    """Return a ring centred at the origin: upright and facing the camera at lean 0, flat at lean pi/2."""
    cosine, sine = math.cos(lean), math.sin(lean)

    def distance(p: Points) -> Plane:
        up, out = cosine * p[1] - sine * p[2], sine * p[1] + cosine * p[2]
        return np.asarray(np.hypot(np.hypot(p[0], up) - radius, out) - thickness)

    return distance


def cone(radius: float, height: float) -> Distance:
    """Return an upright cone with a rounded tip, its base centred at the origin; the distance is a bound, not exact."""
    slope = math.hypot(radius, height)

    def distance(p: Points) -> Plane:
        side = (np.hypot(p[0], p[2]) * height + (p[1] - height) * radius) / slope
        return np.asarray(np.maximum(side, -p[1]) - 0.015)

    return distance


def bar(length: float, radius: float, end_radius: float) -> Distance:
    """Return a horizontal bar with a ball at each end (a dumbbell, a bone), centred at the origin."""

    def distance(p: Points) -> Plane:
        inside = np.clip(p[0], -length / 2, length / 2)
        rod = _length(p[0] - inside, p[1], p[2]) - radius
        ball = _length(np.abs(p[0]) - (length / 2), p[1], p[2]) - end_radius
        return np.asarray(np.minimum(rod, ball))

    return distance


def _length(x: Plane, y: Plane, z: Plane) -> Plane:
    return np.sqrt(x * x + y * y + z * z)


def _outside(a: Plane, b: Plane) -> Plane:
    """Return the signed distance from the intersection of two half-spaces."""
    return np.hypot(np.maximum(a, 0), np.maximum(b, 0)) + np.minimum(np.maximum(a, b), 0)
