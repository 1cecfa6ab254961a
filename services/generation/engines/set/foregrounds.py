"""Foregrounds: what a product stands on, and the wall behind it, as meshes.

The ground below the product is y = 0; z grows towards the viewer. See camera.py for the units.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.camera import Camera
from services.generation.engines.set.description import MatterDescription, SetDescription

Numbers = NDArray[np.float64]
Faces = NDArray[np.int64]

FAR = 16.0
"""Half the width of what crosses the whole picture; the widest ad shows 24 units."""
BEVEL = 0.02
WALL = -2.4
"""Where the wall stands (z)."""


@dataclass(frozen=True)
class Mesh:
    """A surface.

    Attributes:
        vertices: (N, 3).
        faces: Corners of the triangles, (M, 3).
        places: Position of each vertex on its matter, in units, (N, 2).
    """

    vertices: Numbers
    faces: Faces
    places: Numbers


def merged(meshes: Sequence[Mesh]) -> Mesh:
    """Return one mesh of several."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.places for mesh in meshes]),
    )


def vertex_normals(mesh: Mesh) -> Numbers:
    """Return the normal at each vertex, (N, 3): the mean of its faces', by their area."""
    corners = mesh.vertices[mesh.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    count = len(mesh.vertices)
    total = np.stack(
        [np.bincount(mesh.faces.ravel(), np.repeat(across[:, axis], 3), minlength=count) for axis in range(3)], -1
    )
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12))


@dataclass(frozen=True)
class Piece:
    """A mesh and what it is made of."""

    mesh: Mesh
    matter: MatterDescription


DEEP = 0.7
"""Height of a picture below the product above which the front edge of a table leaves too much below itself."""
SLIVER = 0.8
"""Depth of the ground between a front edge and the picture's own below which the edge looks like a flaw."""
OUT_OF_SIGHT = 6.0


@dataclass(frozen=True)
class Stand:
    """Room that a product takes on the ground.

    Attributes:
        middle: Its middle (x).
        reach: Half its width.
        height: Height of the product.
        below: Height of the picture below it.
        nearest: Where the ground meets the lower edge of the picture (z).
    """

    middle: float
    reach: float
    height: float
    below: float = 0.0
    nearest: float = math.inf

    def front(self, edge: float) -> float:
        """Return where the ground ends: at an edge, or out of sight if much or little would show beyond it."""
        return edge if self.below <= DEEP and self.nearest - edge >= SLIVER else OUT_OF_SIGHT


def foreground(photo_set: SetDescription, stand: Stand, rng: np.random.Generator) -> list[Piece]:
    """Return the pieces of a set's foreground for a product.

    Args:
        photo_set: The set.
        stand: Where the product stands.
        rng: Source of small differences.
    """
    return list(FOREGROUNDS[photo_set.foreground](photo_set, stand, rng))


def grid_faces(rows: int, columns: int) -> Faces:
    """Return two triangles for each cell of a grid of vertices, (2 * cells, 3)."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    return np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])


def sheet(profile: Numbers, half: float = FAR, middle: float = 0.0) -> Mesh:
    """Return a profile of (z, y) points, drawn out to both sides. The first point is the nearest to the viewer."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(profile, axis=0).T))]
    x = np.linspace(middle - half, middle + half, 9)
    columns, rows = np.meshgrid(x, np.arange(len(profile)))
    vertices = np.stack([columns, profile[rows, 1], profile[rows, 0]], -1).reshape(-1, 3)
    places = np.stack([columns, along[rows]], -1).reshape(-1, 2)
    return Mesh(vertices, grid_faces(len(profile), len(x))[:, ::-1], places)


def lathe(profile: Numbers, middle: float, z: float = 0.0, sides: int = 128) -> Mesh:
    """Return a solid of revolution of (radius, height) points, from the outside to the axis."""
    turn = np.linspace(0, 2 * math.pi, sides + 1)
    angle, row = np.meshgrid(turn, np.arange(len(profile)))
    radius, height = profile[row, 0], profile[row, 1]
    vertices = np.stack([middle + radius * np.cos(angle), height, z + radius * np.sin(angle)], -1).reshape(-1, 3)
    top = profile[:, 1].max()
    places = np.stack(
        [radius * np.cos(angle) + (top - height) * np.cos(angle), radius * np.sin(angle) + (top - height)], -1
    )
    return Mesh(vertices, grid_faces(len(profile), sides + 1)[:, ::-1], places.reshape(-1, 2))


def rounded_edge(front: float, top: float, bottom: float, back: float, bevel: float = BEVEL) -> Numbers:
    """Return the profile of a slab: front face, rounded edge, top; (N, 2) of (z, y)."""
    angle = np.linspace(0, math.pi / 2, 7)
    edge = np.stack([front - bevel + bevel * np.cos(angle), top - bevel + bevel * np.sin(angle)], -1)
    return np.concatenate([[(front, bottom)], edge, np.stack([np.linspace(front - bevel, back, 5)[1:], [top] * 4], -1)])


def rounded_drum(radius: float, top: float, bottom: float, bevel: float = BEVEL) -> Numbers:
    """Return the profile of a drum, (N, 2) of (radius, height)."""
    angle = np.linspace(0, math.pi / 2, 7)
    edge = np.stack([radius - bevel + bevel * np.cos(angle), top - bevel + bevel * np.sin(angle)], -1)
    inside = np.stack([np.linspace(radius - bevel, 0, 6)[1:], [top] * 5], -1)
    return np.concatenate([[(radius, bottom)], edge, inside])


def table(photo_set: SetDescription, stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A table top whose front edge shows, before the panorama or a wall."""
    front = stand.front(max(1.0, stand.reach + 0.35))
    yield Piece(sheet(rounded_edge(front, 0, -0.17, -photo_set.depth, 0.05)), photo_set.matter)
    if photo_set.wall:
        yield Piece(sheet(np.array([(WALL, -3.0), (WALL, 9.0)])), photo_set.wall)


def counter(photo_set: SetDescription, stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A counter against a wall."""
    back = -max(1.1, stand.reach + 0.3)
    yield Piece(sheet(rounded_edge(stand.front(max(1.2, stand.reach + 0.4)), 0, -0.22, back, 0.03)), photo_set.matter)
    yield Piece(sheet(np.array([(back, -0.1), (back, 9.0)])), photo_set.wall or photo_set.matter)


def sweep(photo_set: SetDescription, stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """Ground and background of one sheet that curves upwards."""
    bend = np.linspace(0, math.pi / 2, 24)
    back, radius = -max(1.6, stand.reach + 1.0), 1.3
    curve = np.stack([back - radius * np.sin(bend), radius - radius * np.cos(bend)], -1)
    yield Piece(sheet(np.concatenate([[(6.0, 0.0), (1.0, 0.0)], curve, [(back - radius, 14.0)]])), photo_set.matter)


def ground(photo_set: SetDescription, _stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A floor that ends where the panorama begins."""
    yield Piece(sheet(np.array([(8.0, 0.0), (1.0, 0.0), (-photo_set.depth, 0.0)])), photo_set.matter)


def room(photo_set: SetDescription, _stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A floor, a skirting board and a wall."""
    wall = -photo_set.depth
    yield Piece(sheet(np.array([(8.0, 0.0), (1.0, 0.0), (wall, 0.0)])), photo_set.matter)
    yield Piece(sheet(np.array([(wall, 0.0), (wall, 12.0)])), photo_set.wall or photo_set.matter)
    board = rounded_edge(wall + 0.03, 0.13, 0.0, wall, 0.01)
    yield Piece(sheet(board), MatterDescription(kind="paper", colours=("#e9e6e0", "#f4f2ee"), gloss=0.5, relief=0.2))


def plinth(photo_set: SetDescription, stand: Stand, rng: np.random.Generator) -> Iterator[Piece]:
    """A drum on a sweep, with a second, lower one behind it to one side."""
    radius, high = max(0.5, stand.reach * 1.3), 0.34
    yield Piece(lathe(rounded_drum(radius, 0, -high), stand.middle), photo_set.matter)
    side = 1 if rng.random() < 0.5 else -1
    other = 0.5 * radius
    away = stand.middle + side * (radius + 0.35 * other)
    yield Piece(lathe(rounded_drum(other, 0.55 - high, -high), away, z=-0.8 * radius - other), photo_set.matter)
    bend = np.linspace(0, math.pi / 2, 24)
    back, curve = -max(1.8, stand.reach + 1.2), 1.3
    profile = np.stack([back - curve * np.sin(bend), curve - curve * np.cos(bend) - high], -1)
    ends = [(6.0, -high), (1.0, -high)], [(back - curve, 14.0)]
    yield Piece(sheet(np.concatenate([ends[0], profile, ends[1]])), photo_set.wall or photo_set.matter)


def steps(photo_set: SetDescription, stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """Stone steps: the product stands on the second."""
    tread, rise = max(1.3, 2 * stand.reach + 0.5), 0.36
    front = tread / 2
    for number in range(-2, 3):
        top = number * rise
        near = front - number * tread
        yield Piece(sheet(rounded_edge(near, top, top - rise, near - tread - 0.05)), photo_set.matter)
    end = front - 3 * tread
    yield Piece(sheet(np.array([(end, 0.0), (end, 14.0)])), photo_set.wall or photo_set.matter)


def rock(photo_set: SetDescription, stand: Stand, rng: np.random.Generator) -> Iterator[Piece]:
    """A flat boulder and smaller ones on rippled sand; the boulders are of the wall's matter."""
    side, low = 300, 0.3
    x, z = np.meshgrid(np.linspace(-FAR / 2, FAR / 2, side), np.linspace(-5.0, 3.0, side))
    wave = _lumps(rng, x, z, 5, 0.25)
    ripple = np.sin((z + 0.3 * x + 1.6 * wave) * 2 * math.pi / 0.42) * np.clip(0.6 + _lumps(rng, x, z, 4, 0.8), 0.1, 1)
    height = 0.016 * ripple + 0.14 * wave - low
    vertices = np.stack([x, height, z], -1).reshape(-1, 3)
    yield Piece(Mesh(vertices, grid_faces(side, side)[:, ::-1], vertices[:, [0, 2]]), photo_set.matter)
    matter = photo_set.wall or photo_set.matter
    radius = max(0.62, 1.25 * stand.reach)
    yield Piece(_boulder(rng, (stand.middle, -low, -0.05), (1.2 * radius, low + 0.16, 0.95 * radius), flat=0.0), matter)
    yield Piece(_boulder(rng, (stand.middle - 1.7 * radius, -low, -0.9), (0.42, 0.24, 0.34)), matter)
    yield Piece(_boulder(rng, (stand.middle + 1.5 * radius, -low, 0.35), (0.15, 0.09, 0.12)), matter)
    yield Piece(_boulder(rng, (stand.middle + 1.25 * radius, -low, 0.55), (0.07, 0.05, 0.06)), matter)


def _lumps(rng: np.random.Generator, x: Numbers, z: Numbers, waves: int, frequency: float) -> Numbers:
    """Return a smooth random height, about -0.5 to 0.5: a sum of waves of different directions."""
    total = np.zeros_like(x)
    for number in range(waves):
        angle, phase = rng.uniform(0, 2 * math.pi, 2)
        rate = frequency * 2 * math.pi * 1.45**number
        total += 0.7**number * np.sin(rate * (x * math.cos(angle) + z * math.sin(angle)) + phase)
    return np.asarray(total / (2 * waves) ** 0.5 / 1.5)


def _boulder(
    rng: np.random.Generator,
    at: tuple[float, float, float],
    size: tuple[float, float, float],
    flat: float | None = None,
) -> Mesh:
    """Return a worn boulder: a lumpy ball, cut flat at a height if one is given."""
    rows, columns = 150, 300
    around, down = np.meshgrid(np.linspace(0, 2 * math.pi, columns), np.linspace(0, math.pi, rows))
    ball = np.stack([np.sin(down) * np.cos(around), np.cos(down), np.sin(down) * np.sin(around)], -1)
    lump = np.zeros_like(around)
    for number in range(26):
        towards = rng.normal(size=3)
        towards /= np.linalg.norm(towards)
        rate = 2.2 * 1.16**number
        lump += 0.11 / (1.16**number) ** 0.95 * np.abs(np.sin(rate * (ball @ towards) + rng.uniform(0, 6.28)))
    points = ball * (0.86 + lump[..., None] * 0.75) * np.array(size) + np.array(at)
    if flat is not None:
        over = points[..., 1] - (flat - 0.04)
        worn = flat - 0.04 + 0.04 * np.tanh(over / 0.04)
        points[..., 1] = np.where(over > 0, worn, points[..., 1])
    places = np.stack([around / (2 * math.pi) * 4 * size[0], down / math.pi * 2 * size[0]], -1)
    return Mesh(points.reshape(-1, 3), grid_faces(rows, columns)[:, ::-1], places.reshape(-1, 2))


def hook(photo_set: SetDescription, stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A wall with a peg, from which the product hangs just before it."""
    back = -0.16
    yield Piece(sheet(np.array([(back, -FAR), (back, FAR)])), photo_set.wall or photo_set.matter)
    turn = np.linspace(0, 2 * math.pi, 33)
    depth = np.array([back, 0.08, 0.10, 0.10])
    radius = np.array([0.03, 0.03, 0.022, 0.0])
    angle, row = np.meshgrid(turn, np.arange(4))
    peg = np.stack(
        [
            stand.middle + radius[row] * np.cos(angle),
            stand.height + 0.015 + radius[row] * np.sin(angle),
            depth[row],
        ],
        -1,
    ).reshape(-1, 3)
    yield Piece(Mesh(peg, grid_faces(4, 33), peg[:, :2]), photo_set.matter)


def above(photo_set: SetDescription, _stand: Stand, _rng: np.random.Generator) -> Iterator[Piece]:
    """A surface seen straight from above: it stands upright, and the product lies against it."""
    vertices = np.array([(x, y, -0.02) for y in (-FAR, FAR) for x in (-FAR, FAR)], float)
    yield Piece(Mesh(vertices, grid_faces(2, 2)[:, ::-1], vertices[:, :2]), photo_set.matter)


Foreground = Callable[[SetDescription, Stand, np.random.Generator], Iterator[Piece]]
FOREGROUNDS: dict[str, Foreground] = {
    "table": table,
    "counter": counter,
    "sweep": sweep,
    "ground": ground,
    "room": room,
    "plinth": plinth,
    "steps": steps,
    "rock": rock,
    "hook": hook,
    "above": above,
}


def leaves(sun: Numbers, rng: np.random.Generator) -> Mesh:
    """Return leaves between the set and the sun, out of sight, whose shadows fall on the set.

    Args:
        sun: Direction towards the sun, (3,), length one.
        rng: Source of their places.
    """
    right = np.cross([0, 1, 0], sun)
    right /= np.linalg.norm(right)
    up = np.cross(sun, right)
    vertices: list[Numbers] = []
    for _ in range(9):
        start = rng.uniform(-2.6, 2.6, 2)
        heading = rng.uniform(0, 2 * math.pi)
        stalk = 1.5
        for number in np.linspace(-1, 1, 15):
            angle, length = heading + number * 1.15, stalk * (0.55 + 0.45 * math.cos(number * 1.4))
            along = np.linspace(0, 1, 7)
            half = 0.045 * np.sin(np.pi * along) ** 0.8
            line = start + np.outer(along * length, [math.cos(angle), math.sin(angle)])
            side = np.array([-math.sin(angle), math.cos(angle)])
            for one, two in zip(range(6), range(1, 7), strict=True):
                corners = [line[one] - half[one] * side, line[one] + half[one] * side]
                corners += [line[two] - half[two] * side, line[two] + half[two] * side]
                vertices += [sun * 7.0 + point[0] * right + point[1] * up for point in corners]
    count = len(vertices) // 4
    faces = np.concatenate([np.array([(0, 1, 2), (1, 3, 2)]) + 4 * number for number in range(count)])
    points = np.array(vertices)
    return Mesh(points, faces, points[:, :2])


def window(sun: Numbers, _rng: np.random.Generator) -> Mesh:
    """Return a window frame between the set and the sun, out of sight."""
    right = np.cross([0, 1, 0], sun)
    right /= np.linalg.norm(right)
    up = np.cross(sun, right)
    bars = [(-4.0, -4.0, -1.5, 4.0), (1.5, -4.0, 4.0, 4.0), (-1.5, 1.9, 1.5, 4.0), (-1.5, -4.0, 1.5, -1.4)]
    bars += [(-0.05, -1.4, 0.05, 1.9), (-1.5, 0.2, 1.5, 0.3)]
    points = [
        sun * 7.0 + x * right + y * up
        for left, low, far, high in bars
        for x, y in ((left, low), (far, low), (left, high), (far, high))
    ]
    faces = np.concatenate([np.array([(0, 1, 2), (1, 3, 2)]) + 4 * number for number in range(len(bars))])
    return Mesh(np.array(points), faces, np.array(points)[:, :2])


SHADES: dict[str, Callable[[Numbers, np.random.Generator], Mesh]] = {"leaves": leaves, "window": window}
FARTHER = 60.0
"""By how many units what shades a set is moved away at most; its shadows get softer."""


def shade_of(photo_set: SetDescription, rng: np.random.Generator, camera: Camera, *, mirrored: bool) -> Mesh | None:
    """Return what throws a pattern of shadows on a set, as far away as it takes to be out of the picture.

    Args:
        photo_set: The set.
        rng: Source of small differences.
        camera: The camera that must not see it.
        mirrored: Whether left and right are exchanged.
    """
    if not photo_set.shade:
        return None
    sun = photo_set.lights[0].towards * np.array([-1 if mirrored else 1, 1, 1])
    shade = SHADES[photo_set.shade](sun, rng)
    for farther in np.arange(0.0, FARTHER):
        moved = shade.vertices + farther * sun
        if camera.misses(moved):
            break
    return replace(shade, vertices=moved)
