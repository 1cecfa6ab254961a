"""Render gateway/web/sample.jpg, the sample product photo of the demo: `python -m testing.sample`."""

from pathlib import Path

import numpy as np

from common.imaging.codec import encode_jpeg
from services.generation.engines.set.camera import Camera
from services.generation.engines.set.render import render
from services.generation.engines.set.shade import Set
from services.generation.engines.set.solids import Colour, Material, Solid, cylinder, disc, ring
from services.generation.engines.set.trace import Room

WIDTH, HEIGHT = 1200, 1200
QUALITY = 88

TEAL: Colour = (0.02, 0.17, 0.19)
CREAM: Colour = (0.86, 0.8, 0.68)
ORANGE: Colour = (0.78, 0.22, 0.05)
GRAPHITE: Colour = (0.03, 0.033, 0.038)
STEEL: Colour = (0.5, 0.52, 0.54)


def bottle() -> tuple[Solid, ...]:
    """Return an insulated bottle: teal body with a banded label, steel neck, graphite cap with a carrying loop."""
    return (
        Solid(cylinder(0.32, 1.12, 0.08), (0, 0, 0), 1.3, Material(TEAL, 0.55)),
        Solid(cylinder(0.322, 0.32, 0.003), (0, 0.34, 0), 0.6, Material(CREAM, 0.2)),
        Solid(cylinder(0.325, 0.045, 0.003), (0, 0.385, 0), 0.5, Material(ORANGE, 0.3)),
        Solid(cylinder(0.325, 0.016, 0.003), (0, 0.6, 0), 0.5, Material(TEAL, 0.3)),
        Solid(disc(0.062, 0.06), (0, 0.512, 0.3), 0.1, Material(ORANGE, 0.3)),
        Solid(cylinder(0.165, 0.12, 0.01), (0, 1.08, 0), 0.35, Material(STEEL, 0.9)),
        Solid(cylinder(0.2, 0.17, 0.03), (0, 1.17, 0), 0.4, Material(GRAPHITE, 0.45)),
        Solid(ring(0.125, 0.028, 0.0), (0, 1.41, 0), 0.25, Material(GRAPHITE, 0.45)),
    )


def sample() -> bytes:
    """Render the photo as a JPEG file."""
    light = np.array([-0.7, 1.0, 0.75])
    light /= np.linalg.norm(light)
    stage = Set(
        solids=bottle(),
        room=Room(Material((0.60, 0.585, 0.57)), Material((0.50, 0.49, 0.485)), wall_distance=2.6),
        light=(float(light[0]), float(light[1]), float(light[2])),
        light_colour=(1.0, 0.97, 0.93),
        key=1.15,
        fill=0.65,
        pattern=np.ones((8, 8), np.float32),
        middle=0.76,
    )
    pixels = render(stage, Camera(WIDTH, HEIGHT, pitch=0.16, eye_height=0.76), seed=7).astype(np.float32)
    grain = np.random.default_rng(7).normal(0, 1.2, (HEIGHT, WIDTH, 1))
    return encode_jpeg(np.clip(pixels + grain, 0, 255).astype(np.uint8), QUALITY)


if __name__ == "__main__":
    (Path(__file__).resolve().parents[1] / "gateway" / "web" / "sample.jpg").write_bytes(sample())
