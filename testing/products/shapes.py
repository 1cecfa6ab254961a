"""Shapes that products are made of. Units are those of the scene: a product is about one unit large."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.foregrounds import Mesh, grid_faces

Numbers = NDArray[np.float64]
Point = tuple[float, float, float]


def tube(line: Numbers, radius: float | Numbers, *, closed: bool = False, sides: int = 12) -> Mesh:
    """Return a round bar along a line of points, (N, 3).

    Args:
        line: The middle of the bar.
        radius: Half its thickness, everywhere or at each point.
        closed: The last point is joined to the first.
        sides: Corners of its section.
    """
    points = np.concatenate([line, line[:1]]) if closed else line
    radii = np.broadcast_to(radius, len(line))
    radii = np.concatenate([radii, radii[:1]]) if closed else radii
    ahead = np.roll(line, -1, 0) - np.roll(line, 1, 0) if closed else np.gradient(line, axis=0)
    ahead = np.concatenate([ahead, ahead[:1]]) if closed else ahead
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    # Each section's side is the last one's, turned as little as possible.
    side = np.cross(ahead[0], (0, 1, 0) if abs(ahead[0, 1]) < 0.9 else (1, 0, 0))
    sections = []
    for towards, middle, reach in zip(ahead, points, radii, strict=True):
        side = side - (side @ towards) * towards
        side = side / np.linalg.norm(side)
        up = np.cross(towards, side)
        turn = np.linspace(0, 2 * math.pi, sides + 1)[:, None]
        sections.append(middle + reach * (np.cos(turn) * side + np.sin(turn) * up))
    vertices = np.array(sections)
    along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    around = np.linspace(0, 1, sides + 1) * 2 * math.pi * float(np.mean(radii))
    places = np.stack(np.meshgrid(around, along), -1).reshape(-1, 2)
    faces = grid_faces(len(points), sides + 1)[:, ::-1]
    return Mesh(vertices.reshape(-1, 3), faces, places)


def circle(radius: float, at: Point, across: Point = (1, 0, 0), up: Point = (0, 1, 0), points: int = 96) -> Numbers:
    """Return the points of a circle, (N, 3), in the plane of two directions."""
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False)[:, None]
    return np.asarray(np.array(at) + radius * (np.cos(turn) * np.array(across) + np.sin(turn) * np.array(up)))


def hoop(radius: float, thick: float, at: Point, across: Point = (1, 0, 0), up: Point = (0, 1, 0)) -> Mesh:
    """Return a ring of a round bar."""
    return tube(circle(radius, at, across, up), thick, closed=True, sides=24)


def bar(start: Point, end: Point, radius: float) -> Mesh:
    """Return a straight round bar with closed ends."""
    line = np.linspace(start, end, 4)
    ends = np.concatenate([line[:1], line, line[-1:]])
    radii = np.array([1e-4, *[radius] * 4, 1e-4])
    ends[0] += (line[0] - line[1]) * 1e-3
    ends[-1] += (line[-1] - line[-2]) * 1e-3
    return tube(ends, radii)


def curve(*through: Point, points: int = 60) -> Numbers:
    """Return a smooth line through some points (Catmull and Rom, 1974), (N, 3)."""
    known = np.array([through[0], *through, through[-1]], float)
    out = []
    for number in range(1, len(known) - 2):
        a, b, c, d = known[number - 1 : number + 3]
        t = np.linspace(0, 1, points // (len(through) - 1), endpoint=False)[:, None]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate([*out, known[-1:]])


def strand(root: Numbers, tip: Numbers, bend: Numbers, thick: float) -> Mesh:
    """Return a hair: three-sided, thick at its root and thin at its tip."""
    t = np.linspace(0, 1, 6)[:, None]
    line = root + (tip - root) * t + bend * (t * (1 - t) * 4)
    return tube(line, thick * np.linspace(1, 0.25, 6), sides=3)


def turned(mesh: Mesh, degrees: float) -> Mesh:
    """Return a mesh turned about the vertical axis."""
    angle = math.radians(degrees)
    rotation = np.array([(math.cos(angle), 0, math.sin(angle)), (0, 1, 0), (-math.sin(angle), 0, math.cos(angle))])
    return Mesh(mesh.vertices @ rotation.T, mesh.faces, mesh.places)


def moved(mesh: Mesh, by: Sequence[float], scale: float = 1.0) -> Mesh:
    """Return a mesh made larger and moved."""
    return Mesh(mesh.vertices * scale + np.array(by), mesh.faces, mesh.places * scale)
