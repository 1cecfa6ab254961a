"""Ray tracing: the floor that rises into a wall, hit analytically, and solids, by sphere tracing (Hart, 1996)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.solids import Material, Plane, Points, Solid, Vector

MARCH_STEPS = 64
HIT = 0.0012
COVE = 1.2
"""Radius of the curve in which the floor rises into the wall, in units."""


@dataclass(frozen=True)
class Room:
    """Floor and wall.

    Attributes:
        floor: Material of the floor.
        wall: Material of the wall; the floor blends into it.
        wall_distance: Distance of the wall behind the middle of the set, in units.
        folds: Strength of the curtain folds in the wall; 0 means flat.
        ripples: Strength of the ripples in the floor; 0 means flat.
    """

    floor: Material
    wall: Material
    wall_distance: float = 2.3
    folds: float = 0.0
    ripples: float = 0.0


@dataclass
class Hits:
    """Hits of n rays: distance along the ray (n,), unit normal (3, n), index of the solid (n,), -1 for the room."""

    distance: Plane
    normal: Points
    solid: NDArray[np.int16]


def trace(room: Room, solids: Sequence[Solid], origin: Points, rays: Points) -> Hits:
    """Trace rays to the first surface they hit.

    Args:
        room: Floor and wall.
        solids: Solids in the room.
        origin: Start of the rays, (3, 1) or (3, n).
        rays: Unit directions, (3, n).
    """
    hits = _meet_room(room, origin, rays)
    for number, solid in enumerate(solids):
        near = passing(solid, origin, rays, hits.distance)
        if not near.size:
            continue
        starts = origin if origin.shape[1] == 1 else origin[:, near]
        reached = _march(solid, starts, rays[:, near], hits.distance[near])
        met = np.isfinite(reached)
        chosen = near[met]
        hits.distance[chosen] = reached[met]
        hits.solid[chosen] = number
        starts = starts if starts.shape[1] == 1 else starts[:, met]
        hits.normal[:, chosen] = _normal(solid, starts + rays[:, chosen] * reached[met])
    return hits


def column(vector: Vector) -> Points:
    """Return a vector as (3, 1) float32."""
    return np.array(vector, np.float32)[:, None]


def unit(vectors: Points) -> Points:
    """Normalise vectors (3, n) to length 1."""
    return np.asarray(vectors / np.maximum(np.sqrt(dot(vectors, vectors)), 1e-9))


def dot(a: Points, b: Points) -> Plane:
    """Return the dot products, (n,), of two sets of vectors (3, n)."""
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def smooth(share: Plane) -> Plane:
    """Ease from 0 to 1 (smoothstep)."""
    return np.asarray(share * share * (3 - 2 * share))


def passing(solid: Solid, origin: Points, rays: Points, limit: Plane | float) -> NDArray[np.intp]:
    """Return the indices of the rays that pass within the solid's reach before their limit."""
    to_place = column(solid.place) - origin
    along = dot(to_place, rays)
    apart = dot(to_place, to_place) - along * along
    return np.flatnonzero((apart < solid.reach**2) & (along > -solid.reach) & (along - solid.reach < limit))


def _meet_room(room: Room, origin: Points, rays: Points) -> Hits:
    """Intersect rays with the floor, the cove (a quarter of a horizontal cylinder) or the wall, whichever applies."""
    _, y, z = rays
    down, back = np.minimum(y, -1e-6), np.minimum(z, -1e-6)
    edge = COVE - room.wall_distance
    to_floor, to_wall = -origin[1] / down, (-room.wall_distance - origin[2]) / back
    on_floor = (origin[2] + z * to_floor > edge) & (y < 0)
    on_wall = (origin[1] + y * to_wall > COVE) & (z < 0)
    # The cove's axis lies at (y, z) = (COVE, edge); the far crossing is the one seen from inside.
    oy, oz = origin[1] - COVE, origin[2] - edge
    a, b, c = y * y + z * z, oy * y + oz * z, oy * oy + oz * oz - COVE * COVE
    to_cove = (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / np.maximum(a, 1e-9)
    distance = np.where(on_floor, to_floor, np.where(on_wall, to_wall, to_cove)).astype(np.float32)
    ny = np.where(on_floor, 1, np.where(on_wall, 0, -(oy + y * distance) / COVE))
    nz = np.where(on_floor, 0, np.where(on_wall, 1, -(oz + z * distance) / COVE))
    normal = np.stack([np.zeros_like(ny), ny, nz]).astype(np.float32)
    if room.folds or room.ripples:
        _bend(room, origin + rays * distance, normal)
    return Hits(distance, normal, np.full(y.shape, -1, np.int16))


def fold_phase(x: Plane) -> Plane:
    """Return the phase of the curtain folds at x, in radians."""
    return np.asarray(15 * x + 1.6 * np.sin(2.3 * x) + 0.7 * np.sin(5.9 * x))


def _bend(room: Room, points: Points, normal: Points) -> None:
    x, y, z = points
    if room.folds:
        risen = smooth(np.clip(y / 0.3, 0, 1))
        normal[0] += room.folds * risen * np.cos(fold_phase(x))
    if room.ripples:
        flat = smooth(np.clip(1 - y / 0.1, 0, 1)) * room.ripples
        around = np.sqrt(x * x + 1.6 * z * z + 0.01)
        wave = np.cos(21 * around) / (1 + 1.5 * around) + 0.5 * np.sin(7 * x + 11 * z)
        normal[0] += flat * wave * x / around
        normal[2] += flat * wave * z / around
    normal /= np.sqrt(dot(normal, normal))


def _march(solid: Solid, origin: Points, rays: Points, limit: Plane) -> Plane:
    """Return the distance at which each ray hits the solid; infinity if it misses."""
    along = dot(column(solid.place) - origin, rays)
    travelled = np.maximum(along - solid.reach, 0)
    end = np.minimum(limit, along + solid.reach)
    result = np.full(travelled.shape, np.inf, np.float32)
    active = np.arange(travelled.size)
    single = origin.shape[1] == 1
    for _ in range(MARCH_STEPS):
        start = origin if single else origin[:, active]
        step = solid.distance_from(start + rays[:, active] * travelled[active])
        met = step < HIT
        result[active[met]] = travelled[active[met]]
        travelled[active] += step
        active = active[~met & (travelled[active] < end[active])]
        if not active.size:
            break
    return result


def _normal(solid: Solid, points: Points) -> Points:
    """Estimate the unit normal from the distances at the corners of a small tetrahedron."""
    corners = [column(corner) for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))]
    gradient: Points = np.zeros_like(points)
    for corner in corners:
        gradient += corner * solid.distance_from(points + 0.002 * corner)
    return unit(gradient)
