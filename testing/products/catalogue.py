"""About a hundred pictures of products, four or more of each kind on which cut-outs fail. Every picture follows from its seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from services.generation.engines.set.description import MatterDescription
from testing.products import makers
from testing.products.makers import PLAIN_GROUNDS, Maker, Part, plain
from testing.products.shapes import Point
from testing.rooms.scenes import CONCRETE, CREAM, OAK, RUST, STONE, TILE, WALNUT

SIZES = ((640, 640), (720, 576), (576, 720), (768, 512))


@dataclass(frozen=True)
class Ground:
    """What a product stands on and before.

    Attributes:
        floor: What it stands on.
        wall: The wall behind it; None: the floor curves upwards (`is_sweep`), or a real place shows, out of focus.
        is_sweep: The floor is a roll of paper.
        panorama: The place around.
        softness: Size of the window that lights it, in units: small ones throw hard shadows.
        light: Where that window is.
        exposure: Geometric mean of the luminance that the picture gets.
    """

    floor: MatterDescription
    wall: MatterDescription | None = None
    is_sweep: bool = False
    panorama: str = "interior"
    softness: float = 1.2
    light: Point = (-2.5, 3.0, 2.5)
    exposure: float = 0.26


@dataclass(frozen=True)
class Photo:
    """A picture to render.

    Attributes:
        kind: What makes it hard.
        parts: The product, or several.
        ground: Where it is.
        size: Width and height in pixels.
        pitch: How far down the camera looks, in degrees.
        fills: The product's longer side, as a fraction of the picture's.
        aside: How far the product is from the middle, as fractions of the picture.
    """

    kind: str
    parts: list[Part]
    ground: Ground
    size: tuple[int, int]
    pitch: float = 14.0
    fills: float = 0.66
    aside: tuple[float, float] = field(default=(0.0, 0.0))


PAPERS = [Ground(one, is_sweep=True) for one in PLAIN_GROUNDS]
PLACES = [
    Ground(OAK, panorama="forest", softness=0.9),
    Ground(WALNUT, panorama="interior"),
    Ground(STONE, panorama="sunrise"),
    Ground(CONCRETE, panorama="sunset"),
]
WALLS = [
    Ground(OAK, TILE.model_copy(update={"size": 1.6})),
    Ground(STONE, OAK.model_copy(update={"size": 1.5})),
    Ground(CREAM, RUST.model_copy(update={"kind": "linen", "colours": ("#7c5a48", "#a98a74"), "size": 0.8})),
    Ground(WALNUT, CONCRETE),
]
PATTERNS = [WALLS[0], WALLS[1], PLACES[0], WALLS[2], PLACES[1]]
MIXED = [PAPERS[1], PLACES[0], WALLS[0], PLACES[1]]


@dataclass(frozen=True)
class Kind:
    """What is made for a kind: by whom, on what, how often."""

    maker: Maker
    grounds: list[Ground] = field(default_factory=lambda: MIXED)
    count: int = 4
    seed: int = 1


KINDS: dict[str, Kind] = {
    "frame": Kind(makers.frame),
    "shelf": Kind(makers.shelf, [PAPERS[0], PAPERS[2], WALLS[3], PLACES[1]]),
    "rack": Kind(makers.rack, [PAPERS[1], PAPERS[4], WALLS[3], PLACES[0]]),
    "basket": Kind(makers.basket, [PAPERS[0], PAPERS[3], PLACES[1], WALLS[2]]),
    "chair": Kind(makers.chair, [PAPERS[1], WALLS[3], PLACES[0], PAPERS[2]]),
    "wheel": Kind(makers.wheel, [PAPERS[0], PLACES[0], WALLS[3], PLACES[3]]),
    "ring": Kind(makers.ring, [PAPERS[3], PLACES[1], PAPERS[5], WALLS[2]]),
    "chain": Kind(makers.chain, [PAPERS[0], PAPERS[5], WALLS[2], PLACES[2]]),
    "handle": Kind(makers.handle),
    "strap": Kind(makers.strap),
    "headphones": Kind(makers.headphones),
    "glass": Kind(makers.vessel, PATTERNS, count=10),
    "fur": Kind(makers.fur),
    "fringe": Kind(makers.fringe, [Ground(plain("#e6ded0", 0.1), is_sweep=True), PAPERS[0], WALLS[3], PLACES[0]]),
    "label": Kind(makers.labelled, [PAPERS[0]]),
    "white on white": Kind(makers.white, [replace(PAPERS[0], exposure=0.6)]),
    "black on black": Kind(makers.black, [Ground(plain("#232325", 0.2), is_sweep=True, exposure=0.03)]),
    "chrome": Kind(makers.chrome, [PAPERS[0], PLACES[0], PLACES[1], WALLS[0]]),
    "hard shadow": Kind(makers.simple, [replace(one, softness=0.12, light=(-3.5, 2.2, 1.5)) for one in PAPERS[:4]]),
    "soft shadow": Kind(makers.simple, [replace(one, softness=2.5) for one in PAPERS[:4]]),
    "several": Kind(makers.several),
    "at the edge": Kind(makers.simple),
    "small": Kind(makers.simple, [PAPERS[0], PAPERS[2], WALLS[3], PLACES[0]]),
}


def photos() -> Iterator[tuple[str, Photo]]:
    """Yield every picture to render, with its name."""
    for kind, made in KINDS.items():
        for number in range(made.count):
            rng = np.random.default_rng([made.seed, number, *kind.encode()])
            photo = Photo(
                kind,
                made.maker(rng),
                made.grounds[number % len(made.grounds)],
                SIZES[int(rng.integers(len(SIZES)))],
                pitch=float(rng.uniform(5, 26)),
                fills=float(rng.uniform(0.55, 0.78)),
            )
            if kind == "at the edge":
                photo = replace(photo, aside=((0.42, 0.0), (-0.42, 0.0), (0.0, 0.42), (0.36, 0.36))[number], fills=0.7)
            if kind == "small":
                photo = replace(photo, fills=float(rng.uniform(0.12, 0.2)), aside=(float(rng.uniform(-0.2, 0.2)), 0.05))
            yield f"{kind.replace(' ', '_')}_{number}", photo
