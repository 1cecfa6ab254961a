"""Shading of what rays hit, in linear light.

Shadows and occlusion are derived from the distance functions (Quilez, "Soft shadows", "Ambient occlusion"); highlights
follow Blinn (1977), reflections Schlick (1994).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from services.generation.engines.set.solids import Colour, Plane, Points, Solid, Vector
from services.generation.engines.set.trace import (
    COVE,
    Hits,
    Room,
    column,
    dot,
    fold_phase,
    passing,
    smooth,
    trace,
    unit,
)

SHADOW_STEPS = 24
SOFTNESS = 7.0
"""Factor k of Quilez's soft shadows; higher is sharper."""
LAMP_DISTANCE = 6.5
"""Distance of the key light from the point it is aimed at, in units; it fades towards the ends of the set."""
CONE = (0.86, 0.97)
"""Beam of the key light: cosines of the angles at which it ends and at which it reaches full strength."""
SPILL = 0.35
"""Fraction of the key light outside its beam."""
PATTERN_WIDTH = 6.0
"""Width of the pattern, in units."""
OPEN_STEPS = ((0.05, 1.0), (0.15, 0.6), (0.38, 0.36))
"""Probe distances of the ambient occlusion, in units, and their weights."""
REMAP_WIDTH = 1024
"""Row length of the points passed to OpenCV, which is limited to 32,767."""


@dataclass(frozen=True)
class Set:
    """A set to render.

    Attributes:
        room: Floor and wall.
        solids: Solids in the room.
        light: Unit direction towards the key light.
        light_colour: Colour of the key light.
        key: Brightness of the key light.
        fill: Brightness of the ambient light, 0 to 1.
        pattern: (h, w) float32, 0 to 1: fraction of the key light that passes, as seen from the light.
        middle: Height at which the key light is aimed, in units.
    """

    room: Room
    solids: tuple[Solid, ...]
    light: Vector
    light_colour: Colour
    key: float
    fill: float
    pattern: Plane
    middle: float


def light_along(stage: Set, origin: Points, rays: Points, *, mirrored: bool = False) -> tuple[Points, Hits]:
    """Return the light that arrives along rays.

    Args:
        stage: Set to render.
        origin: Start of the rays, (3, 1) or (3, n).
        rays: Unit directions, (3, n).
        mirrored: Whether these are reflections, shaded without further reflections, shadows, occlusion or lamps.

    Returns:
        Light (3, n), and what was hit.
    """
    hits = trace(stage.room, stage.solids, origin, rays)
    points = origin + rays * hits.distance
    light = _shade(stage, points, rays, hits, simple=mirrored)
    if not mirrored:
        _mirror(stage, points, rays, hits, light)
    return light, hits


def _mirror(stage: Set, points: Points, rays: Points, hits: Hits, light: Points) -> None:
    """Add the reflections in shiny horizontal surfaces, in place."""
    mirrors = np.array([*(solid.material.mirror for solid in stage.solids), stage.room.floor.mirror], np.float32)
    strength = mirrors[hits.solid] * (hits.normal[1] > 0.96) * (points[1] < COVE / 2)
    shiny = np.flatnonzero(strength > 0.01)
    if not shiny.size:
        return
    normal, ray = hits.normal[:, shiny], rays[:, shiny]
    facing = -dot(ray, normal)
    turned = unit(ray + 2 * facing * normal)
    turned[1] = np.maximum(turned[1], 0.01)
    seen, _ = light_along(stage, points[:, shiny] + 0.01 * normal, turned, mirrored=True)
    share = strength[shiny] * (0.35 + 0.65 * (1 - np.clip(facing, 0, 1)) ** 3)
    light[:, shiny] = light[:, shiny] * (1 - share) + seen * share


def _shade(stage: Set, points: Points, rays: Points, hits: Hits, *, simple: bool) -> Points:
    colour, gloss, glow = _materials(stage, points, hits)
    facing = np.maximum(dot(column(stage.light), hits.normal), 0)
    shadow = 1.0 if simple else _shadow(stage, points, hits.normal)
    key = stage.key * facing * shadow * _pattern(stage, points) * _beam(stage, points)
    # Ambient light: the sky from above, light reflected by the floor from below.
    sky = hits.normal[1] * 0.5 + 0.5
    openness = 1.0 if simple else _openness(stage, points, hits)
    ambient = stage.fill * openness * (sky + (1 - sky) * column(stage.room.floor.colour) / 2)
    warm = column(stage.light_colour)
    lamps = 0 if simple else _lamps(stage, points, hits)
    sheen = _sheen(stage, rays, hits.normal, gloss, key)
    return np.asarray(colour * (key * warm + ambient + lamps + glow) + sheen * warm)


def _materials(stage: Set, points: Points, hits: Hits) -> tuple[Points, Plane, Plane]:
    """Return colour (3, n), gloss (n,) and glow (n,) of each hit; in the cove, the floor blends into the wall."""
    materials = [*(solid.material for solid in stage.solids), stage.room.floor]
    gloss = np.array([material.gloss for material in materials], np.float32)[hits.solid]
    glow = np.array([material.glow for material in materials], np.float32)[hits.solid]
    colour = np.array([material.colour for material in materials], np.float32).T[:, hits.solid]
    risen = smooth(np.clip(points[1] / COVE, 0, 1))
    if stage.room.folds:
        risen *= 0.86 + 0.14 * np.sin(fold_phase(points[0]))
    backdrop = column(stage.room.floor.colour) * (1 - risen) + column(stage.room.wall.colour) * risen
    colour = np.where(hits.solid < 0, backdrop, colour)
    for number, material in enumerate(materials):
        if material.texture is not None:
            of_it = np.flatnonzero(hits.solid == (number if number < len(stage.solids) else -1))
            colour[:, of_it] *= material.texture(points[:, of_it])
    return colour, gloss, glow


def _shadow(stage: Set, points: Points, normal: Points) -> Plane:
    """Return the fraction of the key light that passes the solids, 0 to 1; more distant solids cast softer shadows."""
    start, light = points + 0.01 * normal, column(stage.light)
    lit: Plane = np.ones_like(points[0])
    for solid in stage.solids:
        near = passing(solid, start, light, np.inf)
        if solid.material.glow > 0.5 or not near.size:
            continue
        share = _share_past(solid, start[:, near], light)
        lit[near] = np.minimum(lit[near], smooth(share))
    return lit


def _share_past(solid: Solid, start: Points, light: Points) -> Plane:
    """Return the fraction of the light that passes one solid, 0 to 1."""
    along = dot(column(solid.place) - start, light)
    travelled = np.maximum(along - solid.reach, 0.02)
    end = along + solid.reach
    share = np.ones(along.shape, np.float32)
    active = np.arange(along.size)
    for _ in range(SHADOW_STEPS):
        clear = solid.distance_from(start[:, active] + light * travelled[active])
        share[active] = np.minimum(share[active], SOFTNESS * clear / travelled[active])
        travelled[active] += np.clip(clear, 0.03, 0.5)
        active = active[(share[active] > 0) & (travelled[active] < end[active])]
        if not active.size:
            break
    return np.asarray(np.clip(share, 0, 1), np.float32)


def _openness(stage: Set, points: Points, hits: Hits) -> Plane:
    """Return the openness of the surroundings (ambient occlusion), 0.15 to 1."""
    closed: Plane = np.zeros_like(points[0])
    close_by = [_close_to(solid, points) for solid in stage.solids]
    for step, weight in OPEN_STEPS:
        probe = points + step * hits.normal
        closest = np.minimum(probe[1], probe[2] + stage.room.wall_distance)
        for solid, near in zip(stage.solids, close_by, strict=True):
            if near.size:
                closest[near] = np.minimum(closest[near], solid.distance_from(probe[:, near]))
        closed += weight / step * np.maximum(step - closest, 0)
    return np.asarray(np.clip(1 - 0.5 * closed, 0.15, 1))


def _close_to(solid: Solid, points: Points) -> "np.ndarray[tuple[int, ...], np.dtype[np.intp]]":
    apart = points - column(solid.place)
    return np.flatnonzero(dot(apart, apart) < (solid.reach + 2 * OPEN_STEPS[-1][0]) ** 2)


def _pattern(stage: Set, points: Points) -> Plane:
    """Sample the pattern where the light to each point passes through it."""
    light = np.array(stage.light)
    across = np.cross([0.0, 1.0, 0.0], light)
    across /= np.linalg.norm(across)
    u, v = (axis.astype(np.float32) @ points for axis in (across, np.cross(light, across)))
    height, width = stage.pattern.shape
    size = -(-u.size // REMAP_WIDTH) * REMAP_WIDTH
    columns = np.resize((u / PATTERN_WIDTH + 0.5) * width, size).astype(np.float32).reshape(-1, REMAP_WIDTH)
    rows = np.resize((0.5 - (v - stage.middle) / PATTERN_WIDTH) * height, size).astype(np.float32)
    passed = cv2.remap(
        stage.pattern, columns, rows.reshape(-1, REMAP_WIDTH), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(passed, np.float32).ravel()[: u.size]


def _beam(stage: Set, points: Points) -> Plane:
    """Return the falloff of the key light with the square of the distance and towards the edge of its beam."""
    aim = np.array([[0.0], [stage.middle], [0.0]], np.float32)
    lamp = aim + LAMP_DISTANCE * column(stage.light)
    way = lamp - points
    away = dot(way, way)
    cosine = dot(way, column(stage.light)) / np.sqrt(away)
    within = smooth(np.clip((cosine - CONE[0]) / (CONE[1] - CONE[0]), 0, 1))
    return np.asarray((SPILL + (1 - SPILL) * within) * LAMP_DISTANCE**2 / away)


def _lamps(stage: Set, points: Points, hits: Hits) -> Points:
    """Return the light that glowing solids cast on their surroundings, (3, n)."""
    light: Points = np.zeros_like(points)
    for number, solid in enumerate(stage.solids):
        if solid.material.glow > 0.5:
            way = column(solid.place) - points
            away = dot(way, way)
            facing = np.maximum(dot(way, hits.normal) / np.sqrt(away + 1e-4) * 0.7 + 0.3, 0)
            strength = 0.42 * solid.material.glow * facing / (0.25 + away) * (hits.solid != number)
            light += column(solid.material.colour) * strength
    return light


def _sheen(stage: Set, rays: Points, normal: Points, gloss: Plane, key: Plane) -> Plane:
    """Return the specular highlight and the brighter rim of shiny surfaces, (n,)."""
    half = unit(column(stage.light) - rays)
    spot = np.maximum(dot(half, normal), 0) ** 60
    rim = (1 - np.clip(-dot(rays, normal), 0, 1)) ** 5
    return np.asarray(gloss * (0.7 * np.minimum(key * 4, 1) * spot + 0.35 * stage.fill * rim))
