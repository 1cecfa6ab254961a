"""Rendered studio sets: the background engine that needs no external service."""

from dataclasses import dataclass

import numpy as np

from services.generation.audience import Audience, Product
from services.generation.background.background import Background, BackgroundRequest, Placement, SceneLight
from services.generation.engines.set.camera import Camera
from services.generation.engines.set.palette import Palette, choose_palette
from services.generation.engines.set.patterns import Pattern, leaves, soft, window
from services.generation.engines.set.props import PROPS
from services.generation.engines.set.render import render
from services.generation.engines.set.sets import TYPES, Draft, Scenery
from services.generation.engines.set.shade import Set
from services.generation.engines.set.solids import Material, Solid, Vector, sphere
from services.generation.geometry import Box

SHORT_SIDE = 640
"""Default shorter image side, in pixels: twice the longest shorter side of the default ads."""
MAX_SIDE = 1920
STAND_LINE = 0.77
"""Position of the product's foot, as a fraction of the image height from the top."""
HEADROOM = 0.09
"""Free space above the product, as a fraction of the image height."""
SIDEROOM = 0.06
"""Free space on each side of the widest product, as a fraction of the image width."""
STAND_OVER = (1.12, 1.7)
"""Width of a stand, in product widths: minimum, and preferred where there is room."""
ROOMY_STAND = 0.28
"""Half the width of a stand that leaves room for props beside it, as a fraction of the image width."""
NARROWEST_STAND = 0.34
TYPICAL_RATIO = 0.7
"""Width over height of a product of unknown proportions."""
PITCH = 0.13
DARKEST_SHADOW = 0.38
"""Darkness of the product's shadow under the key light alone, 0 to 1."""
LIGHT_NAMES: dict[Pattern, str] = {
    leaves: "sunlight through palm leaves",
    window: "daylight through a window",
    soft: "soft-box light",
}


@dataclass(frozen=True)
class Plan:
    """A set ready to render."""

    stage: Set
    camera: Camera
    placement: Placement
    prompt: str


class SetEngine:
    """Renders a set in the audience's palette. The same request gives the same picture.

    Args:
        stand_in: Whether to put a stand-in where the product goes, as in pictures from image models.
    """

    name = "set"

    def __init__(self, *, stand_in: bool) -> None:
        self._stand_in = stand_in

    def generate(self, request: BackgroundRequest) -> Background:
        """See BackgroundEngine."""
        plan = self.plan(request)
        return Background(render(plan.stage, plan.camera, request.seed), plan.placement, plan.prompt, self.name)

    def plan(self, request: BackgroundRequest) -> Plan:
        """Plan the set for a request."""
        rng = np.random.default_rng(request.seed)
        width, height = _size(request)
        draft = _draft(request, rng, width, height)
        types = TYPES[request.audience.interest]
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
            box=_zone(camera, scenery.top, draft.stand),
            light=SceneLight(*light, shadow=DARKEST_SHADOW * scenery.key / (scenery.key + scenery.fill)),
            reflectance=scenery.reflectance,
        )
        return Plan(
            stage, camera, placement, _prompt(scenery, draft.palette, pattern, request.product, request.audience)
        )


def _size(request: BackgroundRequest) -> tuple[int, int]:
    ratio = request.aspect_ratio
    scale = min(request.short_side or SHORT_SIDE, MAX_SIDE / max(ratio, 1 / ratio))
    return round(scale * max(ratio, 1)), round(scale * max(1 / ratio, 1))


def _draft(request: BackgroundRequest, rng: np.random.Generator, width: int, height: int) -> Draft:
    unit = min(width, height) / 2
    across, down = width / unit, height / unit
    kinds = PROPS[request.audience.interest]
    tall = (STAND_LINE - HEADROOM) * down
    wide = min(tall * (request.product_aspect_ratio or TYPICAL_RATIO), (1 - 2 * SIDEROOM) * across)
    return Draft(
        palette=choose_palette(request.audience, int(rng.integers(1 << 16))),
        props=tuple(kinds[index] for index in rng.permutation(len(kinds))),
        rng=rng,
        width=across,
        height=down,
        stand=max(NARROWEST_STAND, STAND_OVER[0] * wide / 2, min(STAND_OVER[1] * wide / 2, ROOMY_STAND * across)),
    )


def _light(rng: np.random.Generator) -> Vector:
    """Return the unit direction of a light from above and in front, from a random side."""
    light = np.array([rng.choice([-1, 1]) * rng.uniform(0.5, 0.75), 0.98, rng.uniform(0.7, 0.95)])
    x, y, z = (light / np.linalg.norm(light)).tolist()
    return x, y, z


def _stand_in(draft: Draft, scenery: Scenery) -> list[Solid]:
    radius = 0.28 * min(draft.width, draft.height) / 2
    return [Solid(sphere(radius), (0, scenery.top + radius, 0), radius, Material(draft.palette.accents[0], 0.4))]


def _zone(camera: Camera, top: float, stand: float) -> Box:
    """Return the box for the product above the stand, in image pixels."""
    half = stand / STAND_OVER[0]
    left, bottom = camera.project((-half, top, 0.06))
    right, _ = camera.project((half, top, 0.06))
    left, right = max(left, SIDEROOM / 2 * camera.width), min(right, (1 - SIDEROOM / 2) * camera.width)
    return Box(round(left), round(camera.height * HEADROOM), round(right), round(bottom))


def _prompt(scenery: Scenery, palette: Palette, pattern: Pattern, product: Product, audience: Audience) -> str:
    people = " ".join(part for part in (audience.gender, audience.age) if part) or "everybody"
    topic = f" who like {audience.interest}" if audience.interest else ""
    return (
        f"Studio set for {product.name}: {scenery.name}, {palette.name}, {LIGHT_NAMES[pattern]}; for {people}{topic}."
    )
