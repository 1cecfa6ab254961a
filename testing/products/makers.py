"""Products of each kind, each made from a source of randomness."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from services.generation.engines.set.description import MatterDescription
from services.generation.engines.set.foregrounds import Mesh
from testing.products.shapes import Point, bar, circle, curve, hoop, moved, strand, tube, turned
from testing.rooms.scenes import BLACK, CREAM, OAK, WALNUT, WHITE, ball, box
from testing.rooms.scenes import round_thing as revolved

Clear = Literal["chrome", "gold", "glass", "green glass", "brown glass", "blue glass"]
Substance = MatterDescription | Clear
Part = tuple[Mesh, Substance]
GLASSES = ("glass", "green glass", "brown glass", "blue glass")


def plain(colour: str, gloss: float = 0.3) -> MatterDescription:
    """Return paper or lacquer of one colour."""
    return MatterDescription(kind="paper", colours=(colour, colour), gloss=gloss, size=0.7, relief=0.3)


LACQUERS = [plain(one) for one in ("#b3392b", "#2d5b8a", "#3c7d4f", "#c79a2e", "#5b3f78", "#d06d4c", "#2f3338")]
PLAIN_GROUNDS = [plain(one, 0.1) for one in ("#f2f1ee", "#d9d4ca", "#8fa7b5", "#e3c4b6", "#b9bfa5", "#6f6a66")]


Draw = np.random.Generator
Maker = Callable[[Draw], list[Part]]


def _some(rng: Draw, choices: list[MatterDescription]) -> MatterDescription:
    return choices[int(rng.integers(len(choices)))]


def frame(rng: Draw) -> list[Part]:
    """A picture frame, an arch or the triangles of a bicycle's frame, without anything in it."""
    matter: Substance = _some(rng, [*LACQUERS, OAK, WALNUT, BLACK])
    if rng.random() < 0.4:
        a, b, c, d, e = (0.0, 0.25, 0), (0.42, 0.2, 0), (0.26, 0.72, 0), (0.86, 0.7, 0), (1.0, 0.25, 0)
        pairs = ((a, b), (a, c), (b, c), (c, d), (b, d), (d, e))
        return [(bar(*pair, 0.022), matter) for pair in pairs]
    wide, high, thick = rng.uniform(0.6, 0.9), rng.uniform(0.7, 1.0), rng.uniform(0.04, 0.09)
    sides: list[tuple[Point, Point]] = [
        ((0, 0, 0), (wide, thick, 0.05)),
        ((0, high - thick, 0), (wide, high, 0.05)),
        ((0, thick, 0), (thick, high - thick, 0.05)),
        ((wide - thick, thick, 0), (wide, high - thick, 0.05)),
    ]
    if rng.random() < 0.5:
        sides.append(((wide / 2 - thick / 3, thick, 0.01), (wide / 2 + thick / 3, high - thick, 0.04)))
    angle = float(rng.uniform(-25, 25))
    return [(turned(box(low, far), angle), matter) for low, far in sides]


def shelf(rng: Draw) -> list[Part]:
    """An open shelf without a back."""
    matter = _some(rng, [OAK, WALNUT, WHITE, LACQUERS[1]])
    wide, high, deep, thick = rng.uniform(0.6, 1.0), 1.0, 0.22, 0.03
    boards = int(rng.integers(3, 6))
    angle = float(rng.uniform(-30, 30))
    parts = [box((0, 0, 0), (thick, high, deep)), box((wide - thick, 0, 0), (wide, high, deep))]
    parts += [
        box((thick, y, 0), (wide - thick, y + thick, deep)) for y in np.linspace(0.04, high - thick, boards).tolist()
    ]
    if rng.random() < 0.5:
        parts.append(box((wide / 2 - thick / 2, 0.04, 0.01), (wide / 2 + thick / 2, high - thick, deep - 0.01)))
    return [(turned(one, angle), matter) for one in parts]


def rack(rng: Draw) -> list[Part]:
    """A rack of bars: for dishes, clothes or letters."""
    matter: Substance = ["chrome", BLACK, LACQUERS[2], WHITE][int(rng.integers(4))]  # type: ignore[assignment]
    wide, high, deep, angle = rng.uniform(0.8, 1.1), rng.uniform(0.4, 0.9), 0.35, float(rng.uniform(-30, 30))
    lines = []
    for z in (0.0, deep):
        lines += [((0, 0, z), (0, high, z)), ((wide, 0, z), (wide, high, z)), ((0, high, z), (wide, high, z))]
        lines += [((0, 0.1, z), (wide, 0.1, z))]
    lines += [((x, high, 0), (x, high, deep)) for x in (0, wide)]
    lines += [((x, 0.1, 0), (x, high, 0)) for x in np.linspace(0, wide, int(rng.integers(6, 10))).tolist()]
    return [(turned(bar(*one, 0.014), angle), matter) for one in lines]


def basket(rng: Draw) -> list[Part]:
    """A wire basket."""
    matter: Substance = [BLACK, "gold", LACQUERS[5], OAK][int(rng.integers(4))]  # type: ignore[assignment]
    high, low_radius, radius = rng.uniform(0.45, 0.6), 0.28, 0.42
    parts = [
        hoop(low_radius + (radius - low_radius) * share, 0.012, (0, 0.02 + high * share, 0), up=(0, 0, 1))
        for share in np.linspace(0, 1, int(rng.integers(4, 6))).tolist()
    ]
    for angle in np.linspace(0, 2 * math.pi, int(rng.integers(12, 18)), endpoint=False).tolist():
        x, z = math.cos(angle), math.sin(angle)
        parts.append(bar((low_radius * x, 0.02, low_radius * z), (radius * x, high, radius * z), 0.009))
    parts.append(revolved([(0, 0.0), (low_radius, 0.0), (low_radius, 0.02), (0, 0.02)], 0, 0, 0))
    return [(one, matter) for one in parts]


def chair(rng: Draw) -> list[Part]:
    """A chair with a back of slats."""
    matter = _some(rng, [OAK, WALNUT, BLACK, LACQUERS[0], WHITE])
    angle, slats = float(rng.uniform(-40, 40)), int(rng.integers(3, 6))
    parts = [box((0, 0.44, 0), (0.46, 0.48, 0.44))]
    parts += [bar((x, 0, z), (x, 0.45, z), 0.02) for x in (0.03, 0.43) for z in (0.03, 0.41)]
    parts += [bar((x, 0.45, 0.03), (x, 1.0, -0.05), 0.02) for x in (0.03, 0.43)]
    parts += [box((0.02, 0.93, -0.07), (0.44, 1.0, -0.03))]
    parts += [bar((x, 0.48, 0.02), (x, 0.95, -0.04), 0.013) for x in np.linspace(0.1, 0.36, slats).tolist()]
    parts += [bar((x, 0.2, 0.03), (x, 0.2, 0.41), 0.012) for x in (0.03, 0.43)]
    return [(turned(one, angle), matter) for one in parts]


def wheel(rng: Draw) -> list[Part]:
    """One or two wheels with spokes, the tyre black."""
    spokes, radius, angle = int(rng.integers(10, 20)), 0.45, float(rng.uniform(-30, 30))
    places = [0.0, 1.05] if rng.random() < 0.5 else [0.0]
    parts: list[Part] = []
    for x in places:
        at = (x, radius + 0.03, 0.0)
        parts += [(hoop(radius, 0.03, at), BLACK), (hoop(radius - 0.045, 0.014, at), "chrome")]
        parts.append((bar((x, at[1], -0.05), (x, at[1], 0.05), 0.035), "chrome"))
        for turn in np.linspace(0, 2 * math.pi, spokes, endpoint=False).tolist():
            end = (x + (radius - 0.04) * math.cos(turn), at[1] + (radius - 0.04) * math.sin(turn), 0.0)
            parts.append((bar((x, at[1], 0.0), end, 0.005), plain("#8d9094", 0.6)))
    if len(places) == 2:
        matter = _some(rng, LACQUERS)
        y = radius + 0.03
        lines: list[tuple[Point, Point]] = [
            ((0, y, 0), (0.42, y - 0.05, 0)),
            ((0, y, 0), (0.3, 0.95, 0)),
            ((0.42, y - 0.05, 0), (0.28, 1.02, 0)),
            ((0.3, 0.9, 0), (0.88, 0.88, 0)),
            ((0.42, y - 0.05, 0), (0.9, 0.8, 0)),
            ((1.05, y, 0), (0.86, 1.02, 0)),
        ]
        parts += [(bar(start, end, 0.022), matter) for start, end in lines]
        parts.append((box((0.17, 1.01, -0.05), (0.38, 1.05, 0.05)), BLACK))
    return [(turned(mesh, angle), one) for mesh, one in parts]


def ring(rng: Draw) -> list[Part]:
    """A ring with a stone, standing, or bracelets."""
    metal: Substance = ["gold", "chrome"][int(rng.integers(2))]  # type: ignore[assignment]
    thick = rng.uniform(0.03, 0.07)
    if rng.random() < 0.5:
        stone = ball(0.11, (0, 0.98, 0))
        return [
            (turned(hoop(0.42, thick, (0, 0.42 + thick, 0)), float(rng.uniform(0, 50))), metal),
            (stone, LACQUERS[0]),
        ]
    return [
        (hoop(0.4, thick, (0, 0.4 + thick, 0)), metal),
        (turned(hoop(0.33, thick * 0.8, (0.25, 0.33 + thick, 0.25)), 40), _some(rng, LACQUERS)),
    ]


def chain(rng: Draw) -> list[Part]:
    """A chain of links, hung in a loop."""
    metal: Substance = ["gold", "chrome", BLACK][int(rng.integers(3))]  # type: ignore[assignment]
    count, link = int(rng.integers(16, 24)), rng.uniform(0.055, 0.07)
    middles = circle(1.35 * link * count / (2 * math.pi), (0, 0, 0), points=count)
    middles[:, 1] *= 1.25
    middles[:, 1] -= middles[:, 1].min() - 0.1
    parts: list[Part] = []
    for number, middle in enumerate(middles):
        ahead = middles[(number + 1) % count] - middles[number - 1]
        ahead = ahead / np.linalg.norm(ahead)
        other = np.cross(ahead, (0, 0, 1)) if number % 2 else np.array((0.0, 0.35, 0.94))
        oval = middle + (
            circle(1, (0, 0, 0), points=32) @ np.array([1.15 * link * ahead, 0.75 * link * other, (0, 0, 0)])
        )
        parts.append((tube(oval, 0.2 * link, closed=True), metal))
    return parts


def handle(rng: Draw) -> list[Part]:
    """A mug, a jug or a bag with a handle."""
    matter = _some(rng, [*LACQUERS, WHITE, CREAM])
    angle = float(rng.uniform(-35, 35))
    if rng.random() < 0.35:
        body = box((-0.4, 0, -0.12), (0.4, 0.55, 0.12))
        grips = [
            tube(curve((-0.22, 0.54, z), (-0.18, 0.85, z), (0.18, 0.85, z), (0.22, 0.54, z)), 0.02) for z in (-0.1, 0.1)
        ]
        return [(turned(one, angle / 2), matter) for one in (body, *grips)]
    radius, high = rng.uniform(0.28, 0.36), rng.uniform(0.6, 0.9)
    shape = [
        (0, 0),
        (0.85 * radius, 0),
        (radius, 0.06),
        (radius, high),
        (0.92 * radius, high),
        (0.9 * radius, 0.08),
        (0, 0.07),
    ]
    out = radius + rng.uniform(0.22, 0.32)
    grip = curve(
        (0.97 * radius, 0.85 * high, 0), (out, 0.8 * high, 0), (out, 0.35 * high, 0), (0.95 * radius, 0.2 * high, 0)
    )
    return [(turned(one, angle), matter) for one in (revolved(shape, 0, 0, 0), tube(grip, 0.045))]


def strap(rng: Draw) -> list[Part]:
    """A bottle or box with a strap or a cable that leaves it and comes back."""
    matter, cord = _some(rng, LACQUERS), _some(rng, [BLACK, WALNUT, LACQUERS[0]])
    radius, high, far = 0.2, rng.uniform(0.7, 0.9), rng.uniform(0.45, 0.7)
    if rng.random() < 0.5:
        body: Mesh = revolved([(0, 0), (radius, 0), (radius, 0.75 * high), (0.5 * radius, high), (0, high)], 0, 0, 0)
    else:
        body = box((-radius, 0, -0.15), (radius, high, 0.15))
    line = curve(
        (0.6 * radius, 0.95 * high, 0),
        (far, 0.8 * high, 0.05),
        (far + 0.05, 0.3 * high, 0.1),
        (radius, 0.15 * high, 0.05),
    )
    return [(body, matter), (tube(line, rng.uniform(0.012, 0.03)), cord)]


def headphones(rng: Draw) -> list[Part]:
    """Headphones with a cable on the ground."""
    matter = _some(rng, [BLACK, WHITE, LACQUERS[1]])
    band = curve((-0.36, 0.32, 0), (-0.34, 0.75, 0), (0, 0.98, 0), (0.34, 0.75, 0), (0.36, 0.32, 0))
    cups = [bar((x, 0.28, -0.02), (x + (0.1 if x < 0 else -0.1), 0.28, 0.0), 0.17) for x in (-0.42, 0.42)]
    cable = curve((-0.38, 0.12, 0), (-0.45, 0.02, 0.1), (-0.1, 0.02, 0.35), (0.3, 0.02, 0.2), (0.6, 0.02, 0.3))
    return [(tube(band, 0.03), matter), *((cup, matter) for cup in cups), (tube(cable, 0.01), matter)]


def vessel(rng: Draw) -> list[Part]:
    """A glass, a bottle or a vase of glass, clear or coloured: a wall of its own thickness."""
    substance: Substance = GLASSES[int(rng.integers(4))] if rng.random() < 0.5 else "glass"  # type: ignore[assignment]
    radius, high, thick = rng.uniform(0.22, 0.32), rng.uniform(0.75, 1.0), 0.018
    shapes: list[Callable[[float], float]] = [
        lambda t: radius * (0.85 + 0.15 * t),
        lambda t: radius * (1 if t < 0.6 else max(0.35, 1 - 2.4 * (t - 0.6))),
        lambda t: radius * (0.75 + 0.35 * math.sin(2.6 * t + 0.2)),
    ]
    shape = shapes[int(rng.integers(3))]
    heights = np.linspace(0, 1, 40)
    outer = [(shape(t), high * t) for t in heights.tolist()]
    inner = [(shape(t) - thick, high * t) for t in heights[::-1].tolist() if high * t > 0.05]
    return [(revolved([(0, 0), *outer, *inner, (0, 0.05)], 0, 0, 0), substance)]


def fur(rng: Draw) -> list[Part]:
    """A toy or cushion of fur: some thousand hairs around a plain middle."""
    colour = ["#7a5a3c", "#c9b08c", "#4a4a4f", "#e9e2d6"][int(rng.integers(4))]
    matter, radius = plain(colour, 0.1), 0.36
    long, parts = rng.uniform(0.1, 0.2), [ball(radius, (0, radius + 0.08, 0))]
    for _ in range(2600):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        root = np.array((0, radius + 0.08, 0)) + radius * 0.97 * way
        tip = root + long * (way + 0.5 * rng.normal(size=3) * 0.6 + np.array((0, -0.3, 0)))
        tip[1] = max(tip[1], 0.01)
        parts.append(strand(root, tip, 0.03 * rng.normal(size=3), 0.005))
    return [(one, matter) for one in parts]


def fringe(rng: Draw) -> list[Part]:
    """A wall hanging or a cushion with fringes, its middle of the ground's colour."""
    matter = plain("#e6ded0", 0.1)
    wide, high = rng.uniform(0.7, 0.95), rng.uniform(0.55, 0.75)
    parts: list[Part] = [(box((-wide / 2, 0.22, 0), (wide / 2, 0.22 + high, 0.06)), matter)]
    border = _some(rng, LACQUERS)
    parts += [(box((-wide / 2, y, 0.055), (wide / 2, y + 0.04, 0.065)), border) for y in (0.22, 0.18 + high)]
    for x in np.linspace(-wide / 2 + 0.01, wide / 2 - 0.01, 60).tolist():
        tip = np.array((x + 0.015 * rng.normal(), 0.03 + 0.02 * rng.random(), 0.03 + 0.02 * rng.normal()))
        parts.append((strand(np.array((x, 0.23, 0.03)), tip, 0.02 * rng.normal(size=3), 0.007), border))
    return parts


def bottle(rng: Draw, matter: Substance | None = None) -> list[Part]:
    """A bottle with a cap."""
    radius, high = rng.uniform(0.18, 0.26), 1.0
    shape = [
        (0, 0),
        (radius, 0),
        (radius, 0.62 * high),
        (0.4 * radius, 0.8 * high),
        (0.4 * radius, 0.9 * high),
        (0, 0.9 * high),
    ]
    cap = [(0, 0.88), (0.47 * radius, 0.88), (0.47 * radius, 1.0), (0, 1.0)]
    made: Substance = matter or _some(rng, LACQUERS)
    return [(revolved(shape, 0, 0, 0), made), (revolved(cap, 0, 0, 0), BLACK if matter is None else made)]


def labelled(rng: Draw) -> list[Part]:
    """A bottle or box whose label has the wall's colour."""
    same = PLAIN_GROUNDS[0]
    if rng.random() < 0.5:
        matter = _some(rng, LACQUERS)
        label = revolved([(0.231, 0.18), (0.233, 0.2), (0.233, 0.5), (0.231, 0.52)], 0, 0, 0)
        shape = [(0, 0), (0.23, 0), (0.23, 0.65), (0.1, 0.8), (0.1, 1.0), (0, 1.0)]
        return [(revolved(shape, 0, 0, 0), matter), (label, same)]
    matter, angle = _some(rng, LACQUERS), float(rng.uniform(-25, 25))
    low, far = rng.uniform(0.05, 0.12), rng.uniform(0.55, 0.75)
    body, panel = box((-0.32, 0, -0.12), (0.32, 0.85, 0.12)), box((-0.32 + low, 0.12, 0.1), (0.32 - low, far, 0.124))
    return [(turned(body, angle), matter), (turned(panel, angle), same)]


def white(rng: Draw) -> list[Part]:
    """A white product."""
    return _lathed(rng, plain("#f0efec", 0.5))


def black(rng: Draw) -> list[Part]:
    """A black product."""
    return _lathed(rng, plain("#1b1b1d", 0.5))


def chrome(rng: Draw) -> list[Part]:
    """A product that mirrors its surroundings."""
    return _lathed(rng, "chrome" if rng.random() < 0.75 else "gold")


def _lathed(rng: Draw, matter: Substance) -> list[Part]:
    a, b, c = rng.uniform(0.16, 0.34, 3).tolist()
    neck = rng.uniform(0.08, 0.14)
    line = curve((a, 0, 0), (b, 0.3, 0), (c, 0.6, 0), (neck, 0.85, 0), (neck * 1.1, 1.0, 0))
    shape = [(0.0, 0.0), *[(float(x), float(y)) for x, y, _ in line], (0.0, 1.0)]
    return [(revolved(shape, 0, 0, 0), matter)]


def several(rng: Draw) -> list[Part]:
    """Two or three products side by side."""
    parts: list[Part] = []
    for number in range(int(rng.integers(2, 4))):
        made = [bottle, handle, _any_box][number % 3](rng)
        parts += [(moved(mesh, (0.85 * number, 0, rng.uniform(-0.1, 0.1)), 0.8), matter) for mesh, matter in made]
    return parts


def _any_box(rng: Draw) -> list[Part]:
    angle = float(rng.uniform(-35, 35))
    wide, high = rng.uniform(0.25, 0.4), rng.uniform(0.5, 0.9)
    return [(turned(box((-wide, 0, -0.15), (wide, high, 0.15)), angle), _some(rng, LACQUERS))]


def simple(rng: Draw) -> list[Part]:
    """A product of no difficulty."""
    return [bottle, _any_box, handle][int(rng.integers(3))](rng)
