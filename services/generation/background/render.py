"""Renders a set: a floor that rises into a wall, solids on it, a soft key light with a pattern, and fill light.

Floor and wall are hit analytically; solids by sphere tracing (Hart, 1996), only along rays that pass near them. Shadows
and occlusion are read off the distances (Quilez, "Soft shadows", "Ambient occlusion"). All light
is linear until the end.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.background.solids import Colour, Material, Plane, Points, Solid, Vector
from services.generation.light import encode
from services.runtime.image import Pixels

MARCH_STEPS = 56
SHADOW_STEPS = 22
HIT = 0.0015
CAMERA_DISTANCE = 7.0
COVE = 1.2
"""The radius of the curve in which the floor rises into the wall."""


@dataclass(frozen=True)
class Set:
    """What is rendered.

    Attributes:
        solids: What stands in the set.
        floor: How the floor looks.
        wall: How the wall looks.
        wall_distance: How far behind the middle the wall is.
        light: The direction towards the key light.
        light_colour: Its colour.
        fill: The brightness of the light from everywhere, 0 to 1.
        pattern: (h, w) float32, 0 to 1: what part of the key light passes, as seen from the light, 6 units wide.
        pitch: How far the camera looks down, in radians.
        eye_height: The height of the point that the camera looks at.
    """

    solids: tuple[Solid, ...]
    floor: Material
    wall: Material
    wall_distance: float
    light: Vector
    light_colour: Colour
    fill: float
    pattern: Plane
    pitch: float
    eye_height: float


@dataclass(frozen=True)
class Camera:
    """A camera that frames at least 2 by 2 units around the middle of the set."""

    width: int
    height: int
    pitch: float
    eye_height: float

    @property
    def _unit(self) -> float:
        """Pixels per unit in the middle of the set."""
        return min(self.width, self.height) / 2

    @property
    def origin(self) -> Vector:
        """Where the camera stands."""
        return (
            0.0,
            self.eye_height + CAMERA_DISTANCE * math.sin(self.pitch),
            CAMERA_DISTANCE * math.cos(self.pitch),
        )

    def rays(self) -> Points:
        """Give the unit direction through every pixel, (3, height * width)."""
        x = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self._unit / CAMERA_DISTANCE
        y = (self.height / 2 - np.arange(self.height, dtype=np.float32) - 0.5) / self._unit / CAMERA_DISTANCE
        right, up = (plane.ravel() for plane in np.meshgrid(x, y))
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        towards = np.stack([right, up * cosine - sine, -up * sine - cosine])
        return _unit(towards)

    def project(self, point: Vector) -> tuple[float, float]:
        """Give the pixel, from the left and from the top, at which a point of the set is seen."""
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        x, y, z = (p - o for p, o in zip(point, self.origin, strict=True))
        up, depth = y * cosine - z * sine, -y * sine - z * cosine
        scale = self._unit * CAMERA_DISTANCE / depth
        return self.width / 2 + x * scale, self.height / 2 - up * scale


@dataclass
class _Hits:
    """Where the n rays ended: distance along the ray (n,), normal (3, n), and what was hit (-1: floor or wall)."""

    distance: Plane
    normal: Points
    solid: NDArray[np.int16]


def render(stage: Set, width: int, height: int, seed: int) -> Pixels:
    """Render the set.

    Returns:
        (height, width, 3) uint8, sRGB, dithered.
    """
    camera = Camera(width, height, stage.pitch, stage.eye_height)
    origin, rays = _column(camera.origin), camera.rays()
    hits = _hit_set(stage, camera.origin, rays)
    _hit_solids(stage, origin, rays, hits)
    points = origin + rays * hits.distance
    pattern = _pattern(stage, points.reshape(3, height, width)).ravel()
    light = _shade(stage, points, rays, hits, pattern)
    return _develop(light.T.reshape(height, width, 3), seed)


def _column(vector: Vector) -> Points:
    return np.array(vector, np.float32)[:, None]


def _unit(vectors: Points) -> Points:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=0), 1e-9))


def _dot(a: Points, b: Points) -> Plane:
    return np.asarray((a * b).sum(axis=0))


def _smooth(share: Plane) -> Plane:
    return share * share * (3 - 2 * share)


def _hit_set(stage: Set, origin: Vector, rays: Points) -> _Hits:
    """Hit the floor, the cove (a quarter of a lying cylinder) or the wall, whichever the ray meets there."""
    _, y, z = rays
    down, back = np.minimum(y, -1e-6), np.minimum(z, -1e-6)
    edge = COVE - stage.wall_distance
    to_floor, to_wall = -origin[1] / down, (-stage.wall_distance - origin[2]) / back
    on_floor = origin[2] + z * to_floor > edge
    on_wall = origin[1] + y * to_wall > COVE
    # The cove's axis lies at (y, z) = (COVE, edge); the far crossing is the one seen from inside.
    oy, oz = origin[1] - COVE, origin[2] - edge
    a, b, c = y * y + z * z, oy * y + oz * z, oy * oy + oz * oz - COVE * COVE
    to_cove = (-b + np.sqrt(np.maximum(b * b - a * c, 0))) / a
    distance = np.where(on_floor, to_floor, np.where(on_wall, to_wall, to_cove))
    ny = np.where(on_floor, 1, np.where(on_wall, 0, -(oy + y * distance) / COVE))
    nz = np.where(on_floor, 0, np.where(on_wall, 1, -(oz + z * distance) / COVE))
    normal = np.stack([np.zeros_like(ny), ny, nz]).astype(np.float32)
    return _Hits(distance.astype(np.float32), normal, np.full(y.shape, -1, np.int16))


def _hit_solids(stage: Set, origin: Points, rays: Points, hits: _Hits) -> None:
    for number, solid in enumerate(stage.solids):
        near = _passing(solid, origin, rays, hits.distance)
        if not near.size:
            continue
        reached = _march(solid, origin, rays[:, near], hits.distance[near])
        met = np.isfinite(reached)
        chosen = near[met]
        hits.distance[chosen] = reached[met]
        hits.solid[chosen] = number
        hits.normal[:, chosen] = _normal(solid, origin + rays[:, chosen] * reached[met])


def _passing(solid: Solid, origin: Points, rays: Points, limit: Plane | float) -> NDArray[np.intp]:
    """Give the rays that pass within the solid's reach before their limit."""
    to_place = _column(solid.place) - origin
    along = _dot(to_place, rays)
    apart = _dot(to_place, to_place) - along * along
    passes = (apart < solid.reach**2) & (along > -solid.reach) & (along - solid.reach < limit)
    return np.flatnonzero(passes)


def _march(solid: Solid, origin: Points, rays: Points, limit: Plane) -> Plane:
    """Give how far each ray goes before it meets the solid; infinity where it does not."""
    along = _dot(_column(solid.place) - origin, rays)
    travelled = np.maximum(along - solid.reach, 0)
    end = np.minimum(limit, along + solid.reach)
    result = np.full(travelled.shape, np.inf, np.float32)
    active = np.arange(travelled.size)
    for _ in range(MARCH_STEPS):
        step = solid.distance_from(origin + rays[:, active] * travelled[active])
        met = step < HIT
        result[active[met]] = travelled[active[met]]
        travelled[active] += step
        active = active[~met & (travelled[active] < end[active])]
        if not active.size:
            break
    return result


def _normal(solid: Solid, points: Points) -> Points:
    """Take the gradient of the distance at the corners of a small tetrahedron."""
    corners = [_column(corner) for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))]
    gradient: Points = np.zeros_like(points)
    for corner in corners:
        gradient += corner * solid.distance_from(points + 0.002 * corner)
    return _unit(gradient)


def _shade(stage: Set, points: Points, rays: Points, hits: _Hits, pattern: Plane) -> Points:
    """Give the light that each ray brings, (3, n)."""
    colour, gloss, glow = _materials(stage, points, hits)
    key = np.maximum(_dot(_column(stage.light), hits.normal), 0)
    key = key * _shadow(stage, points, hits.normal) * pattern * _falloff(points)
    # From above comes the sky, from below what the floor gives back.
    sky = hits.normal[1] * 0.5 + 0.5
    ambient = stage.fill * _occlusion(stage, points, hits.normal) * (sky + (1 - sky) * _column(stage.floor.colour) / 2)
    warm = _column(stage.light_colour)
    sheen = _sheen(stage, rays, hits.normal, gloss, key)
    return np.asarray(colour * (1.15 * key * warm + ambient + glow) + sheen * warm)


def _materials(stage: Set, points: Points, hits: _Hits) -> tuple[Points, Plane, Plane]:
    """Give colour (3, n), gloss (n,) and glow (n,) at each hit; the floor blends into the wall in the cove."""
    table = [*(solid.material for solid in stage.solids), stage.floor]
    gloss = np.array([material.gloss for material in table], np.float32)[hits.solid]
    glow = np.array([material.glow for material in table], np.float32)[hits.solid]
    colour = np.array([material.colour for material in table], np.float32).T[:, hits.solid]
    risen = _smooth(np.clip(points[1] / COVE, 0, 1))
    backdrop = _column(stage.floor.colour) * (1 - risen) + _column(stage.wall.colour) * risen
    return np.where(hits.solid < 0, backdrop, colour), gloss, glow


def _shadow(stage: Set, points: Points, normal: Points) -> Plane:
    """How much of the key light passes the solids, 0 to 1; softer the farther away what casts the shadow is."""
    start, light = points + 0.01 * normal, _column(stage.light)
    lit: Plane = np.ones_like(points[0])
    for solid in stage.solids:
        near = _passing(solid, start, light, np.inf)
        if solid.material.glow or not near.size:
            continue
        origin = start[:, near]
        travelled = np.full(near.shape, 0.02, np.float32)
        share = np.ones(near.shape, np.float32)
        for _ in range(SHADOW_STEPS):
            clear = solid.distance_from(origin + light * travelled)
            share = np.minimum(share, 7 * clear / travelled)
            travelled += np.clip(clear, 0.03, 0.5)
        lit[near] = np.minimum(lit[near], _smooth(np.clip(share, 0, 1)))
    return lit


def _occlusion(stage: Set, points: Points, normal: Points) -> Plane:
    """How open the surroundings are, 0.15 to 1."""
    closed: Plane = np.zeros_like(points[0])
    weight = 1.0
    for step in (0.04, 0.12, 0.26, 0.5):
        probe = points + step * normal
        closest = np.minimum(probe[1], probe[2] + stage.wall_distance)
        for solid in stage.solids:
            closest = np.minimum(closest, solid.distance_from(probe))
        closed += weight / step * np.maximum(step - closest, 0)
        weight *= 0.62
    return np.asarray(np.clip(1 - 0.42 * closed, 0.15, 1))


def _pattern(stage: Set, points: Points) -> Plane:
    """Look the pattern up where the light to each point of (3, height, width) passes it."""
    light = np.array(stage.light)
    across = np.cross([0.0, 1.0, 0.0], light)
    across /= np.linalg.norm(across)
    u, v = (np.tensordot(axis.astype(np.float32), points, 1) for axis in (across, np.cross(light, across)))
    height, width = stage.pattern.shape
    columns, rows = (u / 6 + 0.5) * width, (0.5 - (v - stage.eye_height) / 6) * height
    return np.asarray(cv2.remap(stage.pattern, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def _falloff(points: Points) -> Plane:
    """The light is aimed at the middle of the set and fades towards its ends."""
    x, y, z = points
    away = x * x + 0.6 * (y - 0.8) ** 2 + 0.35 * np.minimum(z, 0) ** 2
    return np.asarray(0.45 + 0.55 / (1 + 0.16 * away))


def _sheen(stage: Set, rays: Points, normal: Points, gloss: Plane, key: Plane) -> Plane:
    """The highlight of shiny surfaces (Blinn, 1977) and their brighter rim (Schlick, 1994)."""
    half = _unit(_column(stage.light) - rays)
    spot = np.maximum(_dot(half, normal), 0) ** 60
    rim = (1 - np.clip(-_dot(rays, normal), 0, 1)) ** 5
    return np.asarray(gloss * (0.7 * np.minimum(key * 4, 1) * spot + 0.35 * stage.fill * rim))


def _develop(light: Plane, seed: int) -> Pixels:
    """Roll highlights off, encode as sRGB and dither: a smooth wall shows bands otherwise."""
    encoded = encode(1.42 * light * (1 + light / 2.6) / (1 + light))
    noise = np.random.default_rng(seed).triangular(-1.6, 0, 1.6, encoded.shape[:2])[..., None]
    return np.clip(np.round(encoded * 255 + noise), 0, 255).astype(np.uint8)
