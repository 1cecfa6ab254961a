"""Ten rooms and tables with things on them. Units are metres; the surface on which a product belongs is y = 0."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.generation.engines.set.description import MatterDescription
from services.generation.engines.set.foregrounds import Mesh, lathe, rounded_edge, sheet

Role = Literal["surface", "thing", "backdrop"]
Point = tuple[float, float, float]


OAK = MatterDescription(kind="wood", colours=("#8a6238", "#b98d5b", "#d2ad7c"), gloss=0.35, size=1.2)
WALNUT = MatterDescription(kind="wood", colours=("#3a2516", "#5d3d25", "#7b5536"), gloss=0.4, size=1.2)
PALE = MatterDescription(kind="plaster", colours=("#d9d3c8", "#eae5dc"), gloss=0.1, size=2.4)
BLUE = MatterDescription(kind="plaster", colours=("#5d7685", "#6d8796"), gloss=0.1, size=2.4)
GREEN = MatterDescription(kind="linen", colours=("#38503c", "#4d6a50"), gloss=0.1, size=0.6)
CREAM = MatterDescription(kind="linen", colours=("#cfc4b0", "#e6dccb"), gloss=0.1, size=0.6)
RUST = MatterDescription(kind="paper", colours=("#9c4a2a", "#b3592f"), gloss=0.4, size=0.5)
WHITE = MatterDescription(kind="paper", colours=("#e6e4df", "#f4f2ee"), gloss=0.6, size=0.5)
BLACK = MatterDescription(kind="paper", colours=("#18181a", "#26262a"), gloss=0.6, size=0.5)
NAVY = MatterDescription(kind="paper", colours=("#1f2f55", "#2b3f6b"), gloss=0.5, size=0.5)
LEAF = MatterDescription(kind="paper", colours=("#2e5a2c", "#4b7d3e"), gloss=0.4, size=0.3)
STONE = MatterDescription(kind="speckled", colours=("#8f8c86", "#b9b6ae", "#dcd9d1"), gloss=0.5, size=0.8)
TILE = MatterDescription(kind="tiles", colours=("#dfe3e0", "#f0f2ef", "#b9b9b4"), gloss=0.8, size=0.9)
GRAVEL = MatterDescription(kind="sand", colours=("#8d7f68", "#b8a98d"), gloss=0.05, size=1.0)
CONCRETE = MatterDescription(kind="concrete", colours=("#77756f", "#a5a29b"), gloss=0.15, size=2.0)


@dataclass(frozen=True)
class Part:
    """A piece of a room. Parts of one number are one thing."""

    mesh: Mesh
    matter: MatterDescription
    role: Role
    thing: int = 0


@dataclass(frozen=True)
class View:
    """Where the camera stands, what it looks at, and the angle it sees across."""

    eye: Point
    at: Point
    angle: float = 38.0


@dataclass(frozen=True)
class Room:
    """What to render.

    Attributes:
        view: The camera.
        parts: What is there.
        product: Width and height of a product that belongs there on y = 0, in metres.
        stance: How that product is shown.
        window: Where the light comes from; None: from the panorama.
        panorama: The place around it.
    """

    view: View
    parts: list[Part]
    product: tuple[float, float]
    stance: Literal["standing", "large"] = "standing"
    window: Point | None = (-3.0, 2.6, 2.0)
    panorama: str = "interior"


def box(low: Point, high: Point) -> Mesh:
    """Return a box between two corners."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    corners = [
        [(x0, y0, z1), (x1, y0, z1), (x0, y1, z1), (x1, y1, z1)],
        [(x1, y0, z0), (x0, y0, z0), (x1, y1, z0), (x0, y1, z0)],
        [(x0, y1, z1), (x1, y1, z1), (x0, y1, z0), (x1, y1, z0)],
        [(x0, y0, z0), (x1, y0, z0), (x0, y0, z1), (x1, y0, z1)],
        [(x1, y0, z1), (x1, y0, z0), (x1, y1, z1), (x1, y1, z0)],
        [(x0, y0, z0), (x0, y0, z1), (x0, y1, z0), (x0, y1, z1)],
    ]
    vertices = np.array([point for side in corners for point in side], float)
    faces = np.concatenate([np.array([(0, 1, 2), (1, 3, 2)]) + 4 * side for side in range(6)])
    spans = np.array([(x1 - x0, y1 - y0), (x1 - x0, y1 - y0), (x1 - x0, z1 - z0)] * 2)
    unit = np.array([(0, 0), (1, 0), (0, 1), (1, 1)], float)
    return Mesh(vertices, faces, np.concatenate([unit * span for span in spans]))


def round_thing(profile: list[tuple[float, float]], x: float, y: float, z: float) -> Mesh:
    """Return a solid of revolution of (radius, height) points from the bottom up, standing at a place."""
    points = np.array(profile[::-1]) + np.array([0, y])
    return lathe(points, x, z, sides=64)


def ball(radius: float, at: Point) -> Mesh:
    """Return a ball."""
    turn = np.linspace(-math.pi / 2, math.pi / 2, 24)
    return round_thing([(radius * math.cos(t), radius * math.sin(t)) for t in turn], *at)


class Furnisher:
    """Collects the parts of a room, each thing under a number of its own."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._things = 0

    def ground(self, profile: list[tuple[float, float]], matter: MatterDescription, half: float = 8) -> None:
        """Add a surface: a profile of (z, y) points from the front to the back."""
        self.parts.append(Part(sheet(np.array(profile, float), half), matter, "surface"))

    def slab(self, low: Point, high: Point, matter: MatterDescription) -> None:
        """Add a table top."""
        x0, y0, z0 = low
        x1, y1, z1 = high
        edge = rounded_edge(z1, y1, y0, z0, 0.008)
        self.parts.append(Part(sheet(edge, (x1 - x0) / 2, (x0 + x1) / 2), matter, "surface"))
        self.parts.append(Part(box((x0, y0, z0), (x1, y1 - 0.002, z1 - 0.004)), matter, "surface"))

    def backdrop(self, mesh: Mesh, matter: MatterDescription) -> None:
        """Add a wall, or what carries a surface."""
        self.parts.append(Part(mesh, matter, "backdrop"))

    def wall(self, z: float, matter: MatterDescription) -> None:
        """Add a wall across the picture."""
        self.backdrop(sheet(np.array([(z, -1.0), (z, 6.0)]), 8), matter)

    def thing(self, *meshes: tuple[Mesh, MatterDescription]) -> None:
        """Add a thing of several meshes."""
        self._things += 1
        self.parts += [Part(mesh, matter, "thing", self._things) for mesh, matter in meshes]

    def mug(self, x: float, y: float, z: float, matter: MatterDescription) -> None:
        """Add a mug."""
        self.thing(
            (
                round_thing(
                    [(0, 0), (0.036, 0), (0.041, 0.01), (0.041, 0.095), (0.037, 0.095), (0.036, 0.02)], x, y, z
                ),
                matter,
            )
        )

    def lamp(self, x: float, y: float, z: float, tall: float, matter: MatterDescription) -> None:
        """Add a lamp with a shade."""
        wide = 0.35 * tall
        self.thing(
            (
                round_thing([(0, 0), (0.2 * tall, 0), (0.2 * tall, 0.02), (0.02, 0.03), (0.015, 0.6 * tall)], x, y, z),
                matter,
            ),
            (round_thing([(wide, 0.55 * tall), (0.6 * wide, tall), (0, tall)], x, y, z), CREAM),
        )

    def bottle(self, x: float, y: float, z: float, tall: float, matter: MatterDescription) -> None:
        """Add a bottle."""
        r = 0.15 * tall
        shape = [(0, 0), (r, 0), (r, 0.6 * tall), (0.4 * r, 0.78 * tall), (0.38 * r, tall), (0, tall)]
        self.thing((round_thing(shape, x, y, z), matter))

    def vase(self, x: float, y: float, z: float, tall: float, matter: MatterDescription, seed: int = 1) -> None:
        """Add a vase with a bunch of round leaves."""
        rng = np.random.default_rng(seed)
        r = 0.22 * tall
        shape = [
            (0, 0),
            (0.6 * r, 0),
            (r, 0.2 * tall),
            (0.8 * r, 0.4 * tall),
            (0.45 * r, 0.5 * tall),
            (0.4 * r, 0.45 * tall),
        ]
        leaves = [
            (
                ball(
                    0.09 * tall * rng.uniform(0.7, 1.2),
                    tuple(np.array((x, y + 0.75 * tall, z)) + 0.16 * tall * rng.normal(size=3)),
                ),
                LEAF,
            )
            for _ in range(22)
        ]
        self.thing((round_thing(shape, x, y, z), matter), *leaves)

    def books(self, x: float, y: float, z: float, *matters: MatterDescription) -> None:
        """Add a stack of books."""
        rng = np.random.default_rng(len(matters))
        meshes = []
        for number, matter in enumerate(matters):
            aside, low = rng.uniform(-0.012, 0.012), y + 0.032 * number
            meshes.append((box((x - 0.12 + aside, low, z - 0.08), (x + 0.12 + aside, low + 0.03, z + 0.08)), matter))
        self.thing(*meshes)

    def plate(self, x: float, y: float, z: float, radius: float, matter: MatterDescription) -> None:
        """Add a plate."""
        self.thing(
            (
                round_thing(
                    [
                        (0, 0.004),
                        (0.6 * radius, 0.004),
                        (radius, 0.02),
                        (radius, 0.023),
                        (0.62 * radius, 0.010),
                        (0, 0.009),
                    ],
                    x,
                    y,
                    z,
                ),
                matter,
            )
        )


def desk() -> Room:
    """A desk at a wall: lamp, books, mug; the right is free."""
    f = Furnisher()
    f.slab((-1.0, -0.04, -0.4), (1.0, 0.0, 0.4), OAK)
    f.wall(-0.75, BLUE)
    f.lamp(-0.52, 0, -0.15, 0.46, BLACK)
    f.books(-0.2, 0, -0.18, NAVY, RUST, WHITE)
    f.mug(-0.18, 0, 0.1, WHITE)
    return Room(View((0.05, 0.5, 1.5), (0, 0.08, 0)), f.parts, (0.09, 0.25))


def kitchen() -> Room:
    """A kitchen counter with tiles behind: kettle, jars, a board; the left is free."""
    f = Furnisher()
    f.slab((-3.0, -0.04, -0.35), (3.0, 0.0, 0.32), STONE)
    f.backdrop(box((-3, -0.9, -0.34), (3, -0.05, 0.27)), WHITE)
    f.wall(-0.36, TILE)
    f.thing(
        (round_thing([(0, 0), (0.09, 0), (0.1, 0.05), (0.07, 0.19), (0.02, 0.22), (0, 0.23)], 0.42, 0, -0.12), BLACK)
    )
    for number, matter in enumerate((RUST, WHITE, NAVY)):
        f.thing(
            (
                round_thing(
                    [(0, 0), (0.05, 0), (0.05, 0.13), (0.045, 0.14), (0.045, 0.16), (0, 0.16)],
                    0.14 + 0.12 * number - 0.2,
                    0,
                    -0.22,
                ),
                matter,
            )
        )
    f.thing((box((0.55, 0, -0.33), (0.86, 0.42, -0.305)), WALNUT))
    return Room(View((-0.05, 0.42, 1.55), (-0.02, 0.12, 0)), f.parts, (0.11, 0.22))


def cafe() -> Room:
    """A round table outdoors with a cup, a vase and a blurred forest behind."""
    f = Furnisher()
    f.parts.append(
        Part(
            lathe(np.array([(0.42, -0.04), (0.45, -0.02), (0.45, -0.004), (0.44, 0.0), (0.2, 0), (0, 0)]), 0),
            WALNUT,
            "surface",
        )
    )
    f.thing(
        (round_thing([(0, 0.004), (0.075, 0.012), (0.075, 0.016), (0, 0.012)], 0.17, 0, 0.06), WHITE),
        (
            round_thing(
                [(0, 0.014), (0.02, 0.014), (0.04, 0.04), (0.043, 0.075), (0.04, 0.075), (0.0, 0.03)], 0.17, 0, 0.06
            ),
            WHITE,
        ),
    )
    f.vase(0.22, 0, -0.2, 0.32, RUST, 3)
    return Room(View((0, 0.38, 1.25), (0, 0.08, 0), 42), f.parts, (0.1, 0.24), window=None, panorama="forest")


def dining() -> Room:
    """A table seen from well above: plates, a bottle, glasses at the edges; the middle is free."""
    f = Furnisher()
    f.slab((-1.4, -0.04, -0.8), (1.4, 0.0, 0.7), CREAM.model_copy(update={"size": 0.9}))
    f.wall(-1.8, BLUE)
    f.plate(-0.45, 0, 0.1, 0.13, WHITE)
    f.plate(0.5, 0, -0.1, 0.13, NAVY)
    f.bottle(-0.3, 0, -0.35, 0.3, LEAF)
    f.mug(0.36, 0, 0.22, RUST)
    return Room(View((0, 1.0, 1.15), (0, 0.0, -0.02), 44), f.parts, (0.16, 0.2))


def sideboard() -> Room:
    """A sideboard with a lamp in its middle and a vase on the right: only the left is free."""
    f = Furnisher()
    f.slab((-0.9, -0.04, -0.22), (0.9, 0.0, 0.22), WALNUT)
    f.backdrop(box((-0.88, -0.8, -0.2), (0.88, -0.04, 0.2)), WALNUT)
    f.wall(-0.24, PALE)
    f.ground([(4.0, -0.8), (-0.24, -0.8)], OAK)
    f.lamp(0.08, 0, -0.02, 0.5, RUST)
    f.vase(0.5, 0, 0.0, 0.4, NAVY, 5)
    return Room(View((0.0, 0.35, 2.0), (0, 0.1, 0), 40), f.parts, (0.14, 0.3))


def living() -> Room:
    """A living room: sofa at the back, a low table with things, a lamp; a bicycle belongs on the floor."""
    f = Furnisher()
    f.ground([(5.0, 0.0), (-2.2, 0.0)], OAK.model_copy(update={"size": 3.0}))
    f.wall(-2.2, PALE)
    seat = [
        ((-1.9, 0.12, -2.05), (0.2, 0.42, -1.15)),
        ((-1.9, 0.42, -2.05), (0.2, 0.85, -1.8)),
        ((-2.05, 0.1, -2.05), (-1.85, 0.62, -1.15)),
        ((0.15, 0.1, -2.05), (0.35, 0.62, -1.15)),
    ]
    f.thing(*((box(low, high), GREEN) for low, high in seat))
    f.thing(
        (round_thing([(0, 0), (0.15, 0), (0.15, 0.02), (0.015, 0.04), (0.015, 1.3)], 0.75, 0, -1.7), BLACK),
        (round_thing([(0.22, 1.2), (0.15, 1.55), (0, 1.55)], 0.75, 0, -1.7), CREAM),
    )
    return Room(View((0.3, 1.35, 3.6), (0.2, 0.55, -0.8), 46), f.parts, (1.7, 1.0), "large", window=(-4.5, 2.6, 1.5))


def bedroom() -> Room:
    """A bedroom: a bed on the right, the floor on the left is free for an armchair."""
    f = Furnisher()
    f.ground([(5.0, 0.0), (-2.4, 0.0)], WALNUT.model_copy(update={"size": 3.0}))
    f.wall(-2.4, BLUE)
    f.thing(
        (box((0.4, 0.1, -2.3), (2.1, 0.32, -0.2)), OAK),
        (box((0.42, 0.32, -2.25), (2.08, 0.55, -0.22)), CREAM),
        (box((0.5, 0.55, -2.2), (1.2, 0.68, -1.8)), WHITE),
        (box((1.3, 0.55, -2.2), (2.0, 0.68, -1.8)), WHITE),
    )
    f.thing(
        (box((-0.15, 0, -2.3), (0.28, 0.5, -1.9)), OAK),
        (round_thing([(0, 0.5), (0.07, 0.5), (0.07, 0.52), (0.015, 0.53), (0.015, 0.75)], 0.05, 0, -2.1), BLACK),
        (round_thing([(0.13, 0.7), (0.09, 0.9), (0, 0.9)], 0.05, 0, -2.1), CREAM),
    )
    return Room(View((0.2, 1.4, 3.4), (0.1, 0.5, -1.0), 48), f.parts, (0.85, 0.95), "large", window=(-4.5, 2.8, 0.5))


def hall() -> Room:
    """A concrete hall with a plant and a chair: a car or sofa belongs in the middle."""
    f = Furnisher()
    f.ground([(8.0, 0.0), (-4.0, 0.0)], CONCRETE.model_copy(update={"size": 4.0}))
    f.wall(-4.0, PALE)
    f.vase(-2.3, 0, -3.2, 1.5, WHITE, 7)
    legs = [(box((x, 0, z), (x + 0.04, 0.45, z + 0.04)), BLACK) for x in (1.9, 2.3) for z in (-3.4, -3.0)]
    f.thing(
        *legs,
        (box((1.88, 0.45, -3.42), (2.36, 0.49, -2.94)), RUST),
        (box((1.88, 0.49, -3.42), (2.36, 0.9, -3.38)), RUST),
    )
    return Room(View((0.0, 1.5, 4.2), (0, 0.7, -2.0), 44), f.parts, (2.1, 0.85), "large", window=(5.0, 3.4, 1.0))


def garden() -> Room:
    """Gravel before a forest with stones on it: the product stands between them."""
    f = Furnisher()
    f.ground([(2.0, 0.0), (-1.6, 0.0)], GRAVEL)
    for number, (x, z, radius) in enumerate(
        ((-0.42, -0.3, 0.16), (0.5, -0.45, 0.22), (0.3, 0.16, 0.06), (-0.3, 0.12, 0.05))
    ):
        f.thing((ball(radius, (x, 0.35 * radius, z)), CONCRETE.model_copy(update={"seed": number + 2, "size": 0.6})))
    return Room(View((0, 0.5, 1.6), (0, 0.1, -0.1), 40), f.parts, (0.2, 0.26), window=None, panorama="forest")


def console() -> Room:
    """A narrow table with a picture on the wall, books on the left, a bottle on the right: the middle is free."""
    f = Furnisher()
    f.slab((-0.7, -0.03, -0.2), (0.7, 0.0, 0.2), WHITE.model_copy(update={"size": 1.0}))
    for x in (-0.66, 0.62):
        f.backdrop(box((x, -0.8, -0.18), (x + 0.04, -0.03, 0.18)), WHITE)
    f.wall(-0.3, GREEN.model_copy(update={"kind": "plaster", "size": 2.4}))
    f.ground([(4.0, -0.8), (-0.3, -0.8)], OAK)
    f.backdrop(box((-0.3, 0.45, -0.3), (0.3, 0.85, -0.27)), BLACK)
    f.backdrop(box((-0.28, 0.47, -0.3), (0.28, 0.83, -0.265)), CREAM)
    f.books(-0.42, 0, 0.0, RUST, NAVY, CREAM, BLACK)
    f.bottle(0.46, 0, -0.02, 0.32, BLACK)
    return Room(View((0.1, 0.5, 1.9), (0, 0.15, 0), 42), f.parts, (0.22, 0.22))


ROOMS: dict[str, Callable[[], Room]] = {
    one.__name__: one for one in (desk, kitchen, cafe, dining, sideboard, living, bedroom, hall, garden, console)
}
