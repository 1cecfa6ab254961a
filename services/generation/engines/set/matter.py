"""Matter, made of noise: wood, stone, plaster, linen, sand, concrete, paper, tiles, water.

A matter is three maps that tile: colour, height and roughness. Sizes are in maps: a set says how large a map is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.description import MatterDescription
from services.generation.engines.set.noise import SIDE, Plane, noise, spots, warped
from services.generation.srgb import to_linear, to_linear_colour, to_srgb

Colour = tuple[float, float, float]

MATTERS_KEPT = 16
"""Matters that are kept: 7 MB each, up to half a second to make."""


@dataclass(frozen=True)
class Matter:
    """What a surface is made of.

    Attributes:
        colour: Reflectance, (SIDE, SIDE, 3), linear, 0 to 1.
        height: (SIDE, SIDE), in map pixels.
        roughness: (SIDE, SIDE), 0 (mirror) to 1.
        coat: Strength of a clear coat, 0 to 1.
    """

    colour: NDArray[np.float32]
    height: Plane
    roughness: Plane
    coat: float = 0.0


def make_matter(description: MatterDescription) -> Matter:
    """Make a matter. The same description gives the same maps."""
    return _kept(description).unpacked()


@dataclass(frozen=True)
class _Kept:
    """A matter in a third of the memory."""

    colour: NDArray[np.uint8]
    height: NDArray[np.float16]
    roughness: NDArray[np.float16]
    coat: float

    def unpacked(self) -> Matter:
        return Matter(
            np.asarray(to_linear(self.colour), np.float32),
            self.height.astype(np.float32),
            self.roughness.astype(np.float32),
            self.coat,
        )


@lru_cache(maxsize=MATTERS_KEPT)
def _kept(description: MatterDescription) -> _Kept:
    rng = np.random.default_rng(description.seed)
    colours = [linear(colour) for colour in description.colours]
    made = KINDS[description.kind](rng, colours, description.gloss)
    return _Kept(to_srgb(made.colour), made.height.astype(np.float16), made.roughness.astype(np.float16), made.coat)


def linear(colour: str) -> Colour:
    """Return the linear colour of a code such as #b98d63."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return to_linear_colour((red, green, blue))


def mixed(share: Plane, *colours: Colour) -> NDArray[np.float32]:
    """Return a gradient through colours at each place: 0 is the first, 1 the last."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(share, stops, [colour[part] for colour in colours]) for part in range(3)], -1).astype(
        np.float32
    )


def _roughness(gloss: float, variation: Plane, amount: float = 0.06) -> Plane:
    return np.asarray(np.clip(1 - gloss + amount * variation, 0.06, 1), np.float32)


def wood(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Planks along the columns, sawn from logs: rings stretched along the grain, fibres, pores."""
    planks = 5
    down, across = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    share, edge = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.float32)
    fibre = noise(rng, 0.35, 8, across=1, down=40)
    band = noise(rng, 0.9, 2, across=1, down=14)
    bend = noise(rng, 1.6, 1, across=1.5, down=3)
    for number in range(planks):
        part = slice(number * SIDE // planks, (number + 1) * SIDE // planks)
        # A plank shows a cut through a log: how far each place is from the pith gives the ring.
        pith, tilt = rng.uniform(-0.2, 1.2), rng.uniform(0, 1)
        away = np.hypot(across[:, part] - pith + 0.018 * bend[:, part], 0.10 * np.sin(np.pi * (down[:, part] - tilt)))
        ring = (away * rng.uniform(34, 60) + 0.12 * band[:, part]) % 1
        late = ring**2.5 * (1 - np.clip((ring - 0.92) / 0.08, 0, 1))
        share[:, part] = 0.24 + 0.36 * late + rng.uniform(-0.07, 0.07)
        edge[:, part.start] = 1
    pores = cv2.GaussianBlur((rng.random((SIDE, SIDE)) > 0.996).astype(np.float32), (0, 0), sigmaX=0.5, sigmaY=8)
    pore = np.clip(pores / 0.03, 0, 1) * np.clip(0.5 + 0.5 * band, 0, 1)
    share += 0.055 * fibre + 0.05 * band
    colour = mixed(np.clip(share, 0, 1), *colours) * (1 - 0.30 * pore - 0.55 * edge)[..., None]
    height = -0.5 * share - 0.9 * pore + 0.10 * fibre - 2.5 * edge
    return Matter(colour.astype(np.float32), height.astype(np.float32), _roughness(gloss, fibre, 0.05), coat=0.1)


def stone(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Veined stone: a cloudy body through which thin cracks run that were filled, bundled in some places."""
    cloud = noise(rng, 1.25, 1)
    push = 46 * noise(rng, 1.5, 1), 46 * noise(rng, 1.5, 1)
    fine = noise(rng, 0.5, 24)
    vein = np.zeros((SIDE, SIDE), np.float32)
    for lowest, width, strength in ((1, 0.035, 0.9), (2, 0.028, 0.6), (4, 0.05, 0.35)):
        crack = np.abs(warped(noise(rng, 1.9, lowest), *push))
        place = np.clip(0.25 + 0.55 * noise(rng, 1.4, 1), 0, 1)
        soft = np.exp(-crack / width) + 0.30 * np.exp(-crack / (6 * width))
        vein = np.maximum(vein, strength * place * soft)
    share = np.clip(0.16 + 0.07 * cloud + 0.02 * fine + 0.7 * vein, 0, 1)
    height = 0.03 * fine
    return Matter(mixed(share, *colours), height.astype(np.float32), _roughness(gloss, cloud, 0.03), coat=0.35 * gloss)


def speckled(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Granite or quartz: grains of several colours, close together."""
    share = 0.5 + 0.22 * noise(rng, 0.15, 60) + 0.10 * noise(rng, 0.9, 6)
    dark, light = spots(rng, 0.0016, 1.9), spots(rng, 0.0012, 1.4)
    share = np.clip(share - 0.6 * dark + 0.5 * light, 0, 1).astype(np.float32)
    return Matter(mixed(share, *colours), 0.04 * noise(rng, 0.2, 40), _roughness(gloss, share, 0.08), coat=0.3 * gloss)


def plaster(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """A wall, painted by hand: broad strokes, small unevenness."""
    cloud, grain = noise(rng, 1.5, 1), noise(rng, 0.35, 20)
    stroke = noise(rng, 0.9, 5, across=1, down=2.2)
    share = np.clip(0.5 + 0.14 * cloud + 0.07 * stroke + 0.02 * grain, 0, 1)
    height = 0.5 * grain + 0.9 * stroke
    return Matter(mixed(share, *colours), height.astype(np.float32), _roughness(gloss, grain, 0.04))


def concrete(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Cast concrete: clouds, sand, pits left by air."""
    cloud, sand = noise(rng, 1.2, 1), noise(rng, 0.1, 60)
    pit = np.maximum(spots(rng, 0.00025, 1.6), 0.7 * spots(rng, 0.0012, 0.8))
    share = np.clip(0.5 + 0.13 * cloud + 0.05 * sand, 0, 1)
    colour = mixed(share, *colours) * (1 - 0.4 * pit)[..., None]
    return Matter(colour, 0.16 * sand + 0.25 * cloud - 2.2 * pit, _roughness(gloss, cloud, 0.05))


def linen(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """A woven cloth: threads of uneven thickness, over and under each other."""
    threads = 170
    down, across = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE * threads * np.pi
    thick = 0.5 * noise(rng, 0.6, 6, across=12, down=1), 0.5 * noise(rng, 0.6, 6, across=1, down=12)
    weft, warp = np.abs(np.sin(down + thick[0])), np.abs(np.sin(across + thick[1]))
    over = np.sign(np.sin(down / 2) * np.sin(across / 2)) * 0.5 + 0.5
    weave = np.where(over > 0.5, np.maximum(weft, 0.7 * warp), np.maximum(warp, 0.7 * weft))
    share = np.clip(0.35 + 0.35 * weave + 0.08 * thick[0] + 0.08 * thick[1] + 0.06 * noise(rng, 1.2, 1), 0, 1)
    height = 1.6 * weave + 5 * noise(rng, 1.7, 1)
    return Matter(mixed(share.astype(np.float32), *colours), height.astype(np.float32), _roughness(gloss, thick[0]))


def sand(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Dry sand: grains, some of them dark or bright."""
    grain, cloud = noise(rng, 0.05, 90), noise(rng, 1.2, 1)
    share = np.clip(0.5 + 0.16 * grain + 0.08 * cloud - 0.5 * spots(rng, 0.003, 0.7), 0, 1)
    return Matter(mixed(share.astype(np.float32), *colours), 0.45 * grain + 1.5 * cloud, _roughness(gloss, grain, 0.02))


def paper(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """A roll of coloured paper: almost even."""
    tooth = noise(rng, 0.3, 60)
    share = np.clip(0.5 + 0.06 * noise(rng, 1.4, 1) + 0.03 * tooth, 0, 1)
    return Matter(mixed(share, *colours), 0.10 * tooth, _roughness(gloss, tooth, 0.02))


def tiles(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Glazed tiles with joints; the last colour is the joint's. No two tiles are quite alike."""
    rows, columns = 8, 4
    down, across = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    row = np.floor(down * rows).astype(int)
    shifted = (across * columns + 0.5 * (row % 2)) % columns
    column = np.floor(shifted).astype(int)
    inside = np.minimum(
        np.minimum(shifted % 1, 1 - shifted % 1) * SIDE / columns,
        np.minimum(down * rows % 1, 1 - down * rows % 1) * SIDE / rows,
    )
    glazed = np.clip((inside - 2.0) / 2.5, 0, 1)
    tone = rng.uniform(0.2, 0.8, (rows, columns)).astype(np.float32)[row, column]
    cloud = noise(rng, 1.3, 3)
    share = np.clip(tone + 0.08 * cloud, 0, 1)
    joint = np.asarray(colours[-1], np.float32)
    colour = mixed(share, *colours[:-1]) * glazed[..., None] + joint * (1 - glazed[..., None])
    bulge = np.clip(inside / 12, 0, 1) ** 0.5
    height = 3.0 * bulge + 0.9 * cloud
    roughness = _roughness(gloss, cloud, 0.02) * glazed + 0.9 * (1 - glazed)
    return Matter(
        colour.astype(np.float32), height.astype(np.float32), np.clip(roughness, 0.06, 1).astype(np.float32), coat=0.3
    )


def wet(rng: np.random.Generator, colours: list[Colour], gloss: float) -> Matter:
    """Stone on which water stands in puddles and drops."""
    dry = stone(rng, colours, gloss)
    level = noise(rng, 1.7, 1) + 0.25 * noise(rng, 1.0, 6)
    puddle = np.clip((level - 0.35) / 0.10, 0, 1)
    drops = np.maximum(spots(rng, 0.00022, 6.0), spots(rng, 0.0006, 3.0))
    bead = np.sqrt(np.clip(drops, 0, 1))
    water = np.maximum(puddle, np.clip(drops * 3, 0, 1))
    colour = dry.colour * (1 - 0.35 * water)[..., None]
    roughness = np.where(water > 0.5, 0.07, dry.roughness)
    height = dry.height * (1 - water) + 2.0 * puddle + 6.0 * bead * (1 - puddle)
    return Matter(colour.astype(np.float32), height.astype(np.float32), roughness.astype(np.float32), coat=0.5)


Kind = Callable[[np.random.Generator, list[Colour], float], Matter]
KINDS: dict[str, Kind] = {
    "wood": wood,
    "stone": stone,
    "speckled": speckled,
    "plaster": plaster,
    "concrete": concrete,
    "linen": linen,
    "sand": sand,
    "paper": paper,
    "tiles": tiles,
    "wet": wet,
}
