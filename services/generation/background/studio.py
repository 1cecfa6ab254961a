"""A rendered studio set: the background engine that needs nothing but this process."""

from dataclasses import dataclass

import numpy as np

from services.generation.audience import Audience, Product, Terms
from services.generation.background.engine import Background, Zone
from services.generation.background.palette import Palette, choose_palette
from services.generation.background.patterns import Pattern, leaves, soft, window
from services.generation.background.props import PROPS, Prop
from services.generation.background.render import Camera, Set, render
from services.generation.background.solids import Material, Solid, arch, box, cylinder, disc, ring, sphere

SHORT_SIDE = 640
"""Pixels on the shorter side: twice what the default ads take, so that scaling down smooths every edge."""
LONGEST_SIDE = 1600
STAND_LINE = 0.77
"""Where the product stands, from the top of the picture."""
HEADROOM = 0.09
"""Kept free above the product, as a part of the picture's height."""
PITCH = 0.13
WALL_DISTANCE = 2.3
_PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "sports": (soft, window),
    "pets": (window, leaves),
    "baby": (soft, window),
    "gaming": (soft,),
    "outdoor": (leaves, leaves),
    "": (leaves, window, soft),
}
_LIGHT_NAMES: dict[Pattern, str] = {
    leaves: "sunlight through palm leaves",
    window: "daylight through a window",
    soft: "soft-box light",
}


@dataclass(frozen=True)
class _Plan:
    """What one set consists of, drawn from the audience and the seed."""

    palette: Palette
    podium: str
    feature: str
    props: tuple[Prop, ...]
    pattern: Pattern
    light_side: float
    frame_width: float
    frame_height: float

    @property
    def podium_radius(self) -> float:
        return min(1.0, 0.1 + 0.3 * self.frame_width)


_PODIUM_HEIGHTS = {"round podium": 0.3, "two round steps": 0.34, "square podium": 0.28, "low plate": 0.09}
_FEATURES = ("an arch", "a sun disc", "two arches", "a large ring", "a bare wall")


class Studio:
    """Renders a set in the audience's palette. The same request and seed give the same picture.

    Args:
        stand_in: Whether something already stands where the product goes, as it may in a background from elsewhere.
    """

    name = "studio"

    def __init__(self, *, stand_in: bool) -> None:
        self._stand_in = stand_in

    def generate(
        self, product: Product, audience: Audience, aspect_ratio: float, seed: int, _terms: Terms | None = None
    ) -> Background:
        """See BackgroundEngine."""
        rng = np.random.default_rng(seed)
        width, height = _size(aspect_ratio)
        plan = _plan(audience, rng, width, height)
        stage = _build(plan, rng, stand_in=self._stand_in)
        pixels = render(stage, width, height, seed)
        return Background(pixels, _zone(plan, stage, width, height), _prompt(plan, product, audience), self.name)


def _size(aspect_ratio: float) -> tuple[int, int]:
    scale = min(SHORT_SIDE, LONGEST_SIDE / max(aspect_ratio, 1 / aspect_ratio))
    return round(scale * max(aspect_ratio, 1)), round(scale * max(1 / aspect_ratio, 1))


def _plan(audience: Audience, rng: np.random.Generator, width: int, height: int) -> _Plan:
    shorter = min(width, height) / 2
    kinds = PROPS[audience.interest]
    patterns = _PATTERNS[audience.interest]
    return _Plan(
        palette=choose_palette(audience, int(rng.integers(1 << 16))),
        podium=str(rng.choice(list(_PODIUM_HEIGHTS))),
        feature=str(rng.choice(_FEATURES)),
        props=tuple(kinds[index] for index in rng.permutation(len(kinds))),
        pattern=patterns[int(rng.integers(len(patterns)))],
        light_side=float(rng.choice([-1, 1])),
        frame_width=width / shorter,
        frame_height=height / shorter,
    )


def _build(plan: _Plan, rng: np.random.Generator, *, stand_in: bool) -> Set:
    top = _PODIUM_HEIGHTS[plan.podium]
    light = np.array([plan.light_side * 0.62, 0.98, 0.86])
    light /= np.linalg.norm(light)
    solids = [*_podium(plan), *_feature(plan), *_props(plan, rng)]
    if stand_in:
        radius = 0.28 * min(plan.frame_width, plan.frame_height) / 2
        solids.append(Solid(sphere(radius), (0, top + radius, 0), radius, Material(plan.palette.accents[0], 0.4)))
    return Set(
        solids=tuple(solids),
        floor=Material(plan.palette.floor),
        wall=Material(plan.palette.wall),
        wall_distance=WALL_DISTANCE,
        light=(float(light[0]), float(light[1]), float(light[2])),
        light_colour=(1.0, 0.965, 0.91),
        fill=0.5,
        pattern=plan.pattern(rng),
        pitch=PITCH,
        eye_height=top + (STAND_LINE - 0.5) * plan.frame_height,
    )


def _podium(plan: _Plan) -> list[Solid]:
    radius, height = plan.podium_radius, _PODIUM_HEIGHTS[plan.podium]
    material = Material(plan.palette.podium, 0.08)
    match plan.podium:
        case "two round steps":
            lower = Solid(cylinder(radius * 1.3, height / 2), (0, 0, 0), radius * 1.5, material)
            return [lower, Solid(cylinder(radius, height), (0, 0, 0), radius * 1.2, material)]
        case "square podium":
            side = radius * 1.85
            return [Solid(box(side, height, side * 0.8), (0, 0, 0), side, material)]
        case _:
            return [Solid(cylinder(radius, height), (0, 0, 0), radius * 1.2, material)]


def _feature(plan: _Plan) -> list[Solid]:
    """What rises behind the product and frames it."""
    tall, accent = plan.frame_height * 0.74, plan.palette.accents[0]
    wide = min(plan.frame_width * 0.62, tall * 0.85)
    back = -1.15
    match plan.feature:
        case "an arch":
            return [Solid(arch(wide, tall, 0.16), (0, 0, back), tall * 1.2, Material(accent))]
        case "two arches":
            front = Solid(arch(wide * 0.62, tall * 0.72, 0.14), (wide * 0.36, 0, back + 0.25), tall, Material(accent))
            behind = Material(plan.palette.accents[1])
            return [front, Solid(arch(wide * 0.62, tall, 0.14), (-wide * 0.26, 0, back), tall * 1.2, behind)]
        case "a sun disc":
            radius = wide * 0.56
            return [Solid(disc(radius, 0.1), (0, radius - 0.04, back), radius * 1.1, Material(accent))]
        case "a large ring":
            radius = wide * 0.56
            return [Solid(ring(radius, 0.05, 0.0), (0, radius + 0.1, back), radius * 1.2, Material(accent, 0.3))]
        case _:
            return []


def _props(plan: _Plan, rng: np.random.Generator) -> list[Solid]:
    """Two larger props beside the podium towards the back, and one small one in front."""
    solids = []
    beside = (plan.podium_radius * 1.12 + plan.frame_width / 2) / 2
    turn = rng.choice([-1, 1])
    places = ((turn * beside, -0.45, 1.0), (-turn * beside * 1.03, -0.2, 0.8), (turn * beside * 0.98, 0.55, 0.5))
    for number, (x, z, share) in enumerate(places):
        prop = plan.props[number % len(plan.props)]
        size = share * max(0.2, plan.frame_width / 2 - plan.podium_radius) * 0.95
        distance, reach, lift = prop.make(size, rng)
        colour = plan.palette.accents[(number + 1) % len(plan.palette.accents)]
        solids.append(Solid(distance, (x, lift, z), reach, Material(colour, prop.gloss, prop.glow)))
    return solids


def _zone(plan: _Plan, stage: Set, width: int, height: int) -> Zone:
    """The room above the podium, as the camera sees it."""
    camera = Camera(width, height, stage.pitch, stage.eye_height)
    top, half = _PODIUM_HEIGHTS[plan.podium], plan.podium_radius * 0.94
    left, bottom = camera.project((-half, top, 0.06))
    right, _ = camera.project((half, top, 0.06))
    return Zone(round(left), round(height * HEADROOM), round(right), round(bottom))


def _prompt(plan: _Plan, product: Product, audience: Audience) -> str:
    people = " ".join(part for part in (audience.gender, audience.age) if part) or "everybody"
    props = ", ".join(dict.fromkeys(prop.name for prop in plan.props))
    topic = f" who like {audience.interest}" if audience.interest else ""
    return (
        f"Studio set for {product.name}: {plan.podium} before {plan.feature}, {plan.palette.name}, "
        f"{_LIGHT_NAMES[plan.pattern]}, with {props}; for {people}{topic}."
    )
