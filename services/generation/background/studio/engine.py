"""A rendered studio set: the background engine that needs nothing but this process."""

from dataclasses import dataclass

import numpy as np

from services.generation.audience import Audience, Product
from services.generation.background.engine import Background, Placement, SceneLight, Wish, Zone
from services.generation.background.studio.camera import Camera
from services.generation.background.studio.palette import Palette, choose_palette
from services.generation.background.studio.patterns import Pattern, leaves, soft, window
from services.generation.background.studio.props import PROPS
from services.generation.background.studio.render import render
from services.generation.background.studio.sets import TYPES, Draft, Scenery
from services.generation.background.studio.shade import Set
from services.generation.background.studio.solids import Material, Solid, Vector, sphere

SHORT_SIDE = 640
"""Pixels on the shorter side when none are asked for: twice what the default ads take."""
LONGEST_SIDE = 1920
STAND_LINE = 0.77
"""Where the product stands, from the top of the picture."""
HEADROOM = 0.09
"""Kept free above the product, as a part of the picture's height."""
SIDEROOM = 0.06
"""Kept free beside the widest product, as a part of the picture's width."""
STAND_OVER = (1.12, 1.7)
"""A stand is so many times as wide as its product: at least, and where there is room for it."""
ROOMY_STAND = 0.28
"""Half a stand's width that leaves room for props beside it, as a part of the picture's width."""
NARROWEST_STAND = 0.34
USUAL_RATIO = 0.7
"""Width over height of a product of unknown proportions."""
PITCH = 0.13
DARKEST_SHADOW = 0.38
"""Of the product, where there is only the key light."""
LIGHT_NAMES: dict[Pattern, str] = {
    leaves: "sunlight through palm leaves",
    window: "daylight through a window",
    soft: "soft-box light",
}


@dataclass(frozen=True)
class Plan:
    """A set that is ready to be rendered."""

    stage: Set
    camera: Camera
    placement: Placement
    prompt: str


class Studio:
    """Renders a set in the audience's palette. The same wish gives the same picture.

    Args:
        stand_in: Whether something already stands where the product goes, as it may in a background from elsewhere.
    """

    name = "studio"

    def __init__(self, *, stand_in: bool) -> None:
        self._stand_in = stand_in

    def generate(self, wish: Wish) -> Background:
        """See BackgroundEngine."""
        plan = self.plan(wish)
        return Background(render(plan.stage, plan.camera, wish.seed), plan.placement, plan.prompt, self.name)

    def plan(self, wish: Wish) -> Plan:
        """Draw up the set."""
        rng = np.random.default_rng(wish.seed)
        width, height = _size(wish)
        draft = _draft(wish, rng, width, height)
        types = TYPES[wish.audience.interest]
        scenery = types[int(rng.integers(len(types)))](draft)
        pattern = scenery.patterns[int(rng.integers(len(scenery.patterns)))]
        camera = Camera(width, height, PITCH, scenery.top + (STAND_LINE - 0.5) * draft.height)
        light = _light(rng)
        stage = Set(
            room=scenery.room,
            solids=(*scenery.solids, *(_stand_in(draft, scenery) if self._stand_in else ())),
            light=light,
            light_colour=scenery.light_colour,
            key=scenery.key,
            fill=scenery.fill,
            pattern=pattern(rng),
            middle=camera.eye_height,
        )
        placement = Placement(
            zone=_zone(camera, scenery.top, draft.stand),
            light=SceneLight(*light, shadow=DARKEST_SHADOW * scenery.key / (scenery.key + scenery.fill)),
            reflectance=scenery.reflectance,
        )
        return Plan(stage, camera, placement, _prompt(scenery, draft.palette, pattern, wish.product, wish.audience))


def _size(wish: Wish) -> tuple[int, int]:
    ratio = wish.aspect_ratio
    scale = min(wish.short_side or SHORT_SIDE, LONGEST_SIDE / max(ratio, 1 / ratio))
    return round(scale * max(ratio, 1)), round(scale * max(1 / ratio, 1))


def _draft(wish: Wish, rng: np.random.Generator, width: int, height: int) -> Draft:
    unit = min(width, height) / 2
    across, down = width / unit, height / unit
    kinds = PROPS[wish.audience.interest]
    tall = (STAND_LINE - HEADROOM) * down
    wide = min(tall * (wish.product_aspect_ratio or USUAL_RATIO), (1 - 2 * SIDEROOM) * across)
    return Draft(
        palette=choose_palette(wish.audience, int(rng.integers(1 << 16))),
        props=tuple(kinds[index] for index in rng.permutation(len(kinds))),
        rng=rng,
        width=across,
        height=down,
        stand=max(NARROWEST_STAND, STAND_OVER[0] * wide / 2, min(STAND_OVER[1] * wide / 2, ROOMY_STAND * across)),
    )


def _light(rng: np.random.Generator) -> Vector:
    """From above and in front, from one side."""
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.5, 0.75), 0.98, rng.uniform(0.7, 0.95)])
    x, y, z = (light / np.linalg.norm(light)).tolist()
    return x, y, z


def _stand_in(draft: Draft, scenery: Scenery) -> list[Solid]:
    radius = 0.28 * min(draft.width, draft.height) / 2
    return [Solid(sphere(radius), (0, scenery.top + radius, 0), radius, Material(draft.palette.accents[0], 0.4))]


def _zone(camera: Camera, top: float, stand: float) -> Zone:
    """The room above the stand, as the camera sees it."""
    half = stand / STAND_OVER[0]
    left, bottom = camera.project((-half, top, 0.06))
    right, _ = camera.project((half, top, 0.06))
    left, right = max(left, SIDEROOM / 2 * camera.width), min(right, (1 - SIDEROOM / 2) * camera.width)
    return Zone(round(left), round(camera.height * HEADROOM), round(right), round(bottom))


def _prompt(scenery: Scenery, palette: Palette, pattern: Pattern, product: Product, audience: Audience) -> str:
    people = " ".join(part for part in (audience.gender, audience.age) if part) or "everybody"
    topic = f" who like {audience.interest}" if audience.interest else ""
    return (
        f"Studio set for {product.name}: {scenery.name}, {palette.name}, {LIGHT_NAMES[pattern]}; for {people}{topic}."
    )
