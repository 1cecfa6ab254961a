"""Props by interest: small solids that reflect what the audience cares about."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.generation.engines.set.solids import Distance, bar, box, cone, cylinder, ellipsoid, ring, sphere


@dataclass(frozen=True)
class Prop:
    """A kind of prop.

    Attributes:
        name: Name of the kind.
        make: Builds one of about the given size; returns its distance function, reach and height above the floor.
        gloss: See Material.
        glow: See Material.
    """

    name: str
    make: Callable[[float, np.random.Generator], tuple[Distance, float, float]]
    gloss: float = 0.25
    glow: float = 0.0


def _ball(size: float, _: np.random.Generator) -> tuple[Distance, float, float]:
    return sphere(size / 2), size / 2, size / 2


def _ring(size: float, rng: np.random.Generator) -> tuple[Distance, float, float]:
    return ring(size * 0.4, size * 0.1, rng.uniform(0.05, 0.25)), size * 0.55, size * 0.5


def _dumbbell(size: float, _: np.random.Generator) -> tuple[Distance, float, float]:
    return bar(size * 0.75, size * 0.08, size * 0.22), size * 0.65, size * 0.22


def _bone(size: float, _: np.random.Generator) -> tuple[Distance, float, float]:
    return bar(size * 0.7, size * 0.1, size * 0.17), size * 0.6, size * 0.17


def _bowl(size: float, _: np.random.Generator) -> tuple[Distance, float, float]:
    return cylinder(size * 0.5, size * 0.34, size * 0.1), size * 0.65, 0.0


def _block(size: float, rng: np.random.Generator) -> tuple[Distance, float, float]:
    return box(size * 0.72, size * 0.72, size * 0.72, rng.uniform(0.2, 1.2), size * 0.07), size, 0.0


def _pillar(size: float, rng: np.random.Generator) -> tuple[Distance, float, float]:
    height = size * rng.uniform(1.3, 1.9)
    return box(size * 0.5, height, size * 0.5, rng.uniform(0.1, 0.7), size * 0.03), height * 1.1, 0.0


def _cone(size: float, _: np.random.Generator) -> tuple[Distance, float, float]:
    return cone(size * 0.42, size * 1.3), size * 1.45, 0.0


def _pebble(size: float, rng: np.random.Generator) -> tuple[Distance, float, float]:
    flat = rng.uniform(0.25, 0.36)
    return ellipsoid(size * 0.55, size * flat, size * 0.45), size * 0.6, size * flat


PROPS: dict[str, tuple[Prop, ...]] = {
    "sports": (Prop("ball", _ball, 0.3), Prop("dumbbell", _dumbbell, 0.35), Prop("hoop", _ring)),
    "pets": (Prop("play ball", _ball, 0.3), Prop("bone", _bone, 0.15), Prop("food bowl", _bowl, 0.4)),
    "baby": (Prop("toy block", _block, 0.15), Prop("teething ring", _ring), Prop("soft ball", _ball, 0.1)),
    "gaming": (
        Prop("neon ring", _ring, 0.2, 1.3),
        Prop("cube", _block, 0.5),
        Prop("glowing pillar", _pillar, 0.2, 0.9),
        Prop("chrome sphere", _ball, 0.9),
    ),
    "outdoor": (Prop("pebble", _pebble, 0.08), Prop("little fir", _cone, 0.05), Prop("stone", _pebble, 0.05)),
    "": (Prop("sphere", _ball, 0.3), Prop("block", _block, 0.1), Prop("ring", _ring)),
}
