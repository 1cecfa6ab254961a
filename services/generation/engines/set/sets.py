"""The types of set, by interest. Each is a small stage with a stand for the product in the middle."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.generation.engines.set.palette import Palette
from services.generation.engines.set.patterns import Pattern, leaves, soft, window
from services.generation.engines.set.props import Prop
from services.generation.engines.set.solids import (
    Colour,
    Material,
    Solid,
    arch,
    box,
    cylinder,
    disc,
    pierced_wall,
    ring,
    sphere,
)
from services.generation.engines.set.textures import marble, rough, wood
from services.generation.engines.set.trace import Room

BACK = -1.15
"""Depth (z) of the frame behind the product, in units."""

MAX_PROP = 0.5
"""Maximum size of a prop, in units, so that none outgrows the product."""


@dataclass(frozen=True)
class Draft:
    """What a set is built from.

    Attributes:
        palette: Colours.
        props: Kinds of props, in the order of use.
        rng: Source of all other choices.
        width: Width of the camera's view at the middle of the set, in units.
        height: Height of that view, in units.
        stand: Half the width of the product's stand, in units.
    """

    palette: Palette
    props: tuple[Prop, ...]
    rng: np.random.Generator
    width: float
    height: float
    stand: float


@dataclass(frozen=True)
class Scenery:
    """A set without the direction of its light and its camera.

    Attributes:
        name: Name in prompts.
        solids: Solids in the room.
        room: Floor and wall.
        top: Height of the top of the stand, in units.
        patterns: Patterns that suit the key light.
        key: Brightness of the key light.
        fill: Brightness of the ambient light.
        light_colour: Colour of the key light.
        reflectance: Fraction of light that the stand reflects, 0 to 1.
    """

    name: str
    solids: tuple[Solid, ...]
    room: Room
    top: float
    patterns: tuple[Pattern, ...]
    key: float = 1.2
    fill: float = 0.46
    light_colour: Colour = (1.0, 0.965, 0.91)
    reflectance: float = 0.0


def podium(draft: Draft) -> Scenery:
    """Build a podium in front of arches, a disc, a ring or a bare wall."""
    palette, stand = draft.palette, draft.stand
    look = Material(palette.podium, 0.1, texture=marble(draft.rng) if draft.rng.random() < 0.5 else None)
    kinds: dict[str, tuple[float, tuple[Solid, ...]]] = {
        "a round podium": (0.3, (_drum(stand, 0.3, look),)),
        "two round steps": (0.34, (_drum(stand * 1.28, 0.17, look), _drum(stand, 0.34, look))),
        "a square podium": (0.28, (Solid(box(stand * 1.95, 0.28, 0.9), (0, 0, 0), stand + 0.6, look),)),
        "a low plate": (0.09, (_drum(stand, 0.09, look),)),
    }
    kind = str(draft.rng.choice(list(kinds)))
    top, solids = kinds[kind]
    frame, framing = _frame(draft)
    room = Room(Material(palette.floor), Material(palette.wall))
    return Scenery(f"{kind} before {frame}", (*solids, *framing, *_props(draft)), room, top, (leaves, window, soft))


def stairs(draft: Draft) -> Scenery:
    """Build blocks that rise to one side like stairs, with a ball on a block on the other."""
    palette, rng, stand = draft.palette, draft.rng, draft.stand
    side = float(rng.choice([-1, 1]))
    block, accent = Material(palette.podium, 0.06), Material(palette.accents[0], 0.08)
    solids = [Solid(box(stand * 2, 0.26, 1.0), (0, 0, 0), stand + 0.7, block)]
    step = max(0.3, (draft.width / 2 - stand) * 0.62)
    for number in range(4):
        height = 0.26 + 0.27 * (number + 1)
        place = side * (stand + step * (number + 0.55)), 0.0, -0.62
        solids.append(Solid(box(step, height, 0.9), place, height + step + 0.5, block if number % 2 else accent))
    low = Solid(box(step * 1.1, 0.52, 0.6), (-side * (stand + step * 0.62), 0.0, -0.75), step + 0.7, accent)
    ball = 0.16 + 0.06 * float(rng.random())
    on_top = Solid(
        sphere(ball), (-side * (stand + step * 0.62), 0.52 + ball, -0.75), ball, Material(palette.accents[1], 0.35)
    )
    room = Room(Material(palette.floor), Material(palette.wall))
    return Scenery("a flight of blocks", (*solids, low, on_top, *_props(draft)[2:]), room, 0.26, (soft, window))


def niche(draft: Draft) -> Scenery:
    """Build a wall with an arched opening and a ledge in front of it."""
    palette, top = draft.palette, 0.3
    opening = min(1.5 * draft.stand + 0.7, 0.8 * draft.width)
    rise = top + min(0.8 * draft.height, opening * 1.15 + 0.25 * draft.height)
    pierced = pierced_wall(3 * draft.width, 3 * draft.height, 0.24, opening, rise)
    stone = Material(palette.podium, 0.08, texture=marble(draft.rng))
    solids = (
        Solid(pierced, (0, 0, -0.75), 2 * (draft.width + draft.height), Material(palette.wall)),
        Solid(box(3 * draft.width, top, 1.3, 0, 0.03), (0, 0, -0.02), 1.6 * draft.width + 1, stone),
        *_props(draft, top)[:2],
    )
    room = Room(Material(palette.floor), Material(palette.accents[0]), wall_distance=1.55)
    return Scenery("a ledge before an arched niche", solids, room, top, (leaves, window))


def tabletop(draft: Draft) -> Scenery:
    """Build a wooden or stone table far in front of a wall, with a vase and two balls towards the back."""
    palette, rng = draft.palette, draft.rng
    top = 0.5
    is_wood = rng.random() < 0.6
    wooden = Material(palette.wood, 0.12, mirror=0.05, texture=wood(rng))
    look = wooden if is_wood else Material(palette.podium, 0.2, mirror=0.14, texture=marble(rng))
    table = Solid(box(3 * draft.width, 0.12, 1.7, 0, 0.03), (0, top - 0.12, -0.1), 1.6 * draft.width + 1.2, look)
    side = float(rng.choice([-1, 1]))
    beside = (draft.stand + draft.width / 2) / 2
    vase, small = Material(palette.accents[0], 0.25), Material(palette.accents[-1], 0.3)
    tall = 0.34 + 0.12 * float(rng.random())
    solids = [
        table,
        Solid(cylinder(0.17, tall, 0.1), (side * beside, top, -0.62), tall + 0.2, vase),
        Solid(cylinder(0.055, tall + 0.2, 0.02), (side * beside, top, -0.62), tall + 0.3, vase),
        Solid(sphere(0.15), (-side * beside, top + 0.15, -0.6), 0.15, Material(palette.accents[1], 0.3)),
        Solid(sphere(0.09), (-side * (beside + 0.26), top + 0.09, -0.48), 0.09, small),
    ]
    room = Room(Material(palette.floor), Material(palette.wall), wall_distance=3.4)
    name = "a wooden table by a window" if is_wood else "a stone table by a window"
    return Scenery(name, tuple(solids), room, top, (window, leaves), key=1.25, reflectance=0.05 if is_wood else 0.12)


def mirror(draft: Draft) -> Scenery:
    """Build a mirror floor, a plate, and a large disc that glows like a low sun."""
    palette, stand = draft.palette, draft.stand
    radius = min(0.36 * draft.height, 0.4 * draft.width)
    plate = Material(palette.podium, 0.3, 0, 0.3)
    sun = Material(palette.accents[0], 0.0, 0.35)
    solids = (
        _drum(stand, 0.07, plate),
        Solid(disc(radius, 0.06), (0, radius * 0.92, -1.6), radius * 1.1, sun),
        *_props(draft)[:2],
    )
    room = Room(Material(palette.floor, mirror=0.75), Material(palette.wall), wall_distance=2.9)
    return Scenery("a mirror floor before a low sun", solids, room, 0.07, (soft,), key=1.05, reflectance=0.24)


def water(draft: Draft) -> Scenery:
    """Build flat stones in still water, with hills behind."""
    palette, rng, stand = draft.palette, draft.rng, draft.stand
    stone = Material(palette.podium, 0.05, texture=rough(rng))
    dark = Material(palette.accents[1], 0.05, texture=rough(rng))
    beside = (stand + draft.width / 2) / 2
    side = float(rng.choice([-1, 1]))
    solids = [
        Solid(cylinder(stand * 1.12, 0.16, 0.07), (0.04, 0, 0), stand * 1.3, dark),
        Solid(cylinder(stand, 0.3, 0.08), (0, 0, 0), stand * 1.2, stone),
        Solid(cylinder(0.22, 0.13, 0.06), (side * beside, 0, -0.35), 0.4, stone),
        Solid(cylinder(0.15, 0.11, 0.05), (side * beside * 1.02, 0.13, -0.36), 0.3, dark),
        Solid(cylinder(0.17, 0.09, 0.04), (-side * beside, 0, 0.25), 0.3, dark),
        *_hills(draft, -1.5),
    ]
    room = Room(Material(palette.floor, mirror=0.85), Material(palette.wall), wall_distance=3.2, ripples=0.035)
    return Scenery("stones in still water", tuple(solids), room, 0.3, (soft, leaves), fill=0.52)


def meadow(draft: Draft) -> Scenery:
    """Build a flat rock among props, with hills behind."""
    palette, rng, stand = draft.palette, draft.rng, draft.stand
    stone = Material(palette.podium, 0.04, texture=rough(rng))
    solids = [
        Solid(cylinder(stand * 1.15, 0.2, 0.09), (-0.03, 0, -0.02), stand * 1.4, stone),
        Solid(cylinder(stand, 0.34, 0.09), (0, 0, 0), stand * 1.2, stone),
        *_hills(draft, -1.35),
        *_props(draft),
    ]
    room = Room(Material(palette.floor, texture=rough(rng)), Material(palette.wall), wall_distance=3.0)
    return Scenery("a flat rock among hills", tuple(solids), room, 0.34, (leaves, soft), fill=0.5)


def curtain(draft: Draft) -> Scenery:
    """Build a podium and a ring in front of a curtain."""
    palette, stand = draft.palette, draft.stand
    look = Material(palette.podium, 0.1)
    moon = min(0.3 * draft.height, 0.34 * draft.width)
    solids = [
        _drum(stand * 1.22, 0.12, Material(palette.accents[1], 0.1)),
        _drum(stand, 0.24, look),
        Solid(ring(moon, 0.03, 0.0), (0, moon + 0.24, -0.8), moon * 1.2, Material(palette.accents[0], 0.4)),
        *_props(draft),
    ]
    room = Room(Material(palette.floor), Material(palette.wall), wall_distance=1.9, folds=0.32)
    return Scenery("a podium before a curtain", tuple(solids), room, 0.24, (soft, window))


def neon(draft: Draft) -> Scenery:
    """Build a night scene: a dark mirror floor, tubes and rings of light."""
    palette, rng, stand = draft.palette, draft.rng, draft.stand
    dark = Material((0.028, 0.024, 0.05), 0.4, mirror=0.2)
    first, second = palette.accents[0], palette.accents[1]
    radius = min(0.37 * draft.height, 0.42 * draft.width)
    tubes = []
    beside = (stand + draft.width / 2) / 2
    for number, x in enumerate((-1.0, -0.72, 0.72, 1.0)):
        height = float(rng.uniform(0.9, 1.9))
        light = Material(first if number % 2 else second, 0, 1.1)
        tubes.append(Solid(cylinder(0.022, height, 0.02), (x * beside * 1.25, 0, -0.75), height * 1.02, light))
    solids = (
        _drum(stand, 0.22, dark),
        Solid(ring(stand * 1.05, 0.016, np.pi / 2), (0, 0.02, 0), stand * 1.1, Material(second, 0, 1.6)),
        Solid(ring(radius, 0.03, 0.0), (0, radius + 0.12, -1.2), radius * 1.1, Material(first, 0, 1.8)),
        *tubes,
    )
    room = Room(Material((0.02, 0.018, 0.035), 0.2, mirror=0.8), Material(palette.wall), wall_distance=2.4)
    return Scenery(
        "a dark floor among tubes of light", solids, room, 0.22, (soft,), 0.3, 0.2, (0.92, 0.94, 1.0), reflectance=0.2
    )


SetType = Callable[[Draft], Scenery]
TYPES: dict[str, tuple[SetType, ...]] = {
    "sports": (podium, stairs, curtain, mirror),
    "pets": (tabletop, niche, podium, curtain),
    "baby": (podium, curtain, niche, stairs),
    "gaming": (neon, mirror, podium, neon),
    "outdoor": (water, meadow, tabletop, niche),
    "": (tabletop, niche, podium, mirror, curtain, stairs),
}


def _drum(radius: float, height: float, look: Material) -> Solid:
    return Solid(cylinder(radius, height), (0, 0, 0), radius + height, look)


def _frame(draft: Draft) -> tuple[str, list[Solid]]:
    """Return the name and the solids of a frame behind the product."""
    accents = draft.palette.accents
    tall = draft.height * 0.74
    wide = min(draft.width * 0.62, tall * 0.85)
    radius = wide * 0.56
    first, second, shiny = Material(accents[0]), Material(accents[1]), Material(accents[0], 0.3)
    frames: dict[str, list[Solid]] = {
        "an arch": [Solid(arch(wide, tall, 0.16), (0, 0, BACK), tall * 1.2, first)],
        "a sun disc": [Solid(disc(radius, 0.1), (0, radius - 0.04, BACK), radius * 1.1, first)],
        "two arches": [
            Solid(arch(wide * 0.62, tall * 0.72, 0.14), (wide * 0.36, 0, BACK + 0.25), tall, first),
            Solid(arch(wide * 0.62, tall, 0.14), (-wide * 0.26, 0, BACK), tall * 1.2, second),
        ],
        "a large ring": [Solid(ring(radius, 0.05, 0.0), (0, radius + 0.1, BACK), radius * 1.2, shiny)],
        "a bare wall": [],
    }
    name = str(draft.rng.choice(list(frames)))
    return name, frames[name]


def _props(draft: Draft, floor: float = 0.0) -> list[Solid]:
    """Return two larger props beside the stand, towards the back, and a small one in front."""
    solids = []
    beside = (draft.stand * 1.12 + draft.width / 2) / 2
    turn = draft.rng.choice([-1, 1])
    places = ((turn * beside, -0.45, 1.0), (-turn * beside * 1.03, -0.25, 0.8), (turn * beside * 0.98, 0.55, 0.5))
    for number, (x, z, share) in enumerate(places):
        prop = draft.props[number % len(draft.props)]
        size = share * min(max(0.22, draft.width / 2 - draft.stand) * 0.95, MAX_PROP)
        distance, reach, lift = prop.make(size, draft.rng)
        colour = draft.palette.accents[(number + 1) % len(draft.palette.accents)]
        solids.append(Solid(distance, (x, floor + lift, z), reach, Material(colour, prop.gloss, prop.glow)))
    return solids


def _hills(draft: Draft, back: float) -> list[Solid]:
    first, second = draft.palette.accents[0], draft.palette.wall
    far: Colour = (
        0.45 * first[0] + 0.55 * second[0],
        0.45 * first[1] + 0.55 * second[1],
        0.45 * first[2] + 0.55 * second[2],
    )
    side = float(draft.rng.choice([-1, 1]))
    wide = draft.width / 2
    return [
        Solid(sphere(2.4), (side * wide * 0.8, -1.75, back - 0.9), 2.4, Material(far)),
        Solid(sphere(1.9), (-side * wide * 0.9, -1.42, back - 0.5), 1.9, Material(first)),
    ]
