"""Render gateway/web/sample.jpg, the sample product photo of the demo: `python -m testing.sample`.

A powder-coated bottle with a steel neck, a glossy lid with a carrying loop, and a printed label, on grey paper in a
room. Path-traced with the renderer of the sets.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from common.imaging.codec import encode_jpeg
from services.generation.engines.set import renderer
from services.generation.engines.set.camera import Camera
from services.generation.engines.set.develop import develop
from services.generation.engines.set.foregrounds import Mesh, grid_faces, sheet
from services.generation.engines.set.noise import noise
from services.generation.engines.set.panorama import read_panorama
from services.generation.engines.set.set_engine import PANORAMAS
from services.generation.engines.set.trace import denoise, placed
from services.generation.srgb import to_linear, to_srgb

SIDE = 1200
QUALITY = 90
SAMPLES = 48
LABEL = (4096, 3072)
"""Pixels of the body's print: once around, and from foot to shoulder."""
TEAL, CREAM, ORANGE, INK = (23, 96, 100), (240, 232, 214), (226, 120, 52), (26, 60, 64)
FINE_PRINT = (
    "18/8 STAINLESS STEEL  -  DOUBLE WALL",
    "NET 750 ML / 25 FL OZ",
    "HAND WASH ONLY. DO NOT FREEZE.",
    "KEEP THE LID CLOSED WHILE IT IS CARRIED.",
)
Numbers = NDArray[np.float64]


def turned(profile: list[tuple[float, float]], sides: int = 192) -> Mesh:
    """Return a solid of revolution of (radius, height) points from the bottom up; places are turn and height, 0 to 1."""
    points = np.array(profile)
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    angle, row = np.meshgrid(np.linspace(0, 2 * math.pi, sides + 1), np.arange(len(points)))
    radius = points[row, 0]
    vertices = np.stack([-radius * np.sin(angle), points[row, 1], -radius * np.cos(angle)], -1).reshape(-1, 3)
    places = np.stack([angle / (2 * math.pi), along[row] / along[-1]], -1).reshape(-1, 2)
    return Mesh(vertices, grid_faces(len(points), sides + 1)[:, ::-1], places)


def curve(*points: tuple[float, float], steps: int = 14) -> list[tuple[float, float]]:
    """Return a smooth line through corners: each corner is rounded by a quadratic curve between its edges' middles."""
    line = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start = [(a + b) / 2 for a, b in zip(before, corner, strict=True)] if before != points[0] else list(before)
        end = [(a + b) / 2 for a, b in zip(corner, after, strict=True)] if after != points[-1] else list(after)
        for t in np.linspace(0, 1, steps)[1:]:
            x, y = (
                (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(start, corner, end, strict=True)
            )
            line.append((float(x), float(y)))
    return line


def loop(radius: float, thick: float, middle: float) -> Mesh:
    """Return a ring that stands upright, facing the viewer."""
    around, across = np.meshgrid(np.linspace(0, 2 * math.pi, 129), np.linspace(0, 2 * math.pi, 33))
    away = radius + thick * np.cos(across)
    points = np.stack(
        [away * np.cos(around), middle + away * np.sin(around), 1.5 * thick * np.sin(across)], -1
    ).reshape(-1, 3)
    return Mesh(points, grid_faces(33, 129)[:, ::-1], np.stack([around, across], -1).reshape(-1, 2) / (2 * math.pi))


def body_print() -> NDArray[np.uint8]:
    """Return the body's colours: powder coat, and a label with a mark, a name and fine print in front."""
    picture = Image.new("RGB", LABEL, TEAL)
    draw = ImageDraw.Draw(picture)
    width, height = LABEL
    middle, top, bottom = width // 2, round(0.28 * height), round(0.66 * height)
    half = round(0.17 * width)
    draw.rounded_rectangle((middle - half, top, middle + half, bottom), 40, fill=CREAM)
    draw.rectangle((middle - half, bottom - 330, middle + half, bottom - 292), fill=ORANGE)
    draw.ellipse((middle - 120, top + 90, middle + 120, top + 330), fill=ORANGE)
    draw.polygon([(middle - 92, top + 272), (middle - 18, top + 158), (middle + 26, top + 218)], fill=CREAM)
    draw.polygon([(middle - 14, top + 272), (middle + 38, top + 190), (middle + 94, top + 272)], fill=CREAM)
    draw.text((middle, top + 480), "TRAILMATE", INK, ImageFont.load_default(190), anchor="mm")
    draw.text((middle, top + 630), "INSULATED BOTTLE", INK, ImageFont.load_default(84), anchor="mm")
    for number, line in enumerate(FINE_PRINT):
        draw.text((middle, bottom - 232 + 52 * number), line, INK, ImageFont.load_default(38), anchor="mm")
    return np.asarray(picture)


def surface(kind: dict[str, Any]) -> dict[str, Any]:
    """Return a surface that shows from both sides."""
    return {"type": "twosided", "surface": kind}


def texture(values: NDArray[Any]) -> dict[str, Any]:
    """Return a map."""
    import mitsuba

    planes = np.ascontiguousarray(values if values.ndim == 3 else values[..., None], np.float32)
    return {"type": "bitmap", "bitmap": mitsuba.Bitmap(planes), "raw": True}


def made_of(mesh: Mesh, kind: dict[str, Any]) -> Any:
    """Return a mesh of a surface for Mitsuba."""
    import mitsuba

    return placed(mesh, 1.0, mitsuba.load_dict(surface(kind)))


def scene() -> dict[str, Any]:
    """Return the bottle in its room."""
    import mitsuba

    rng = np.random.default_rng(7)
    grain = noise(rng, 0.2, 90)
    body = curve(
        (0.0, 0.0), (0.29, 0.0), (0.315, 0.02), (0.32, 0.2), (0.32, 0.9), (0.30, 1.0), (0.19, 1.06), (0.165, 1.09)
    )
    neck = [(0.165, 1.07), (0.165, 1.135), (0.17, 1.14)]
    ridges = 1 + 0.010 * np.tile(np.sin(np.linspace(0, 2 * math.pi * 44, 2048)), (8, 1))
    lid = curve((0.0, 1.13), (0.205, 1.13), (0.212, 1.15), (0.212, 1.27), (0.195, 1.30), (0.10, 1.305), (0.0, 1.31))
    bend = np.linspace(0, math.pi / 2, 24)
    floor = np.concatenate(
        [[(7.0, 0.0), (1.0, 0.0)], np.stack([-2.4 - 1.6 * np.sin(bend), 1.6 - 1.6 * np.cos(bend)], -1), [(-4.0, 12.0)]]
    )
    room = np.array(read_panorama(PANORAMAS / "interior.exr"))
    around = np.roll(np.minimum(room, 60), 260, axis=1)
    look = mitsuba.ScalarTransform4f().look_at

    def lamp(at: list[float], size: list[float], light: list[float]) -> dict[str, Any]:
        scale = mitsuba.ScalarTransform4f().scale([*size, 1])
        return {
            "type": "rectangle",
            "to_world": look(origin=at, target=[0, 0.6, 0], up=[0, 1, 0]) @ scale,
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": light}},
        }

    plastic = {"base_color": {"type": "rgb", "value": [0.022, 0.024, 0.027]}, "roughness": 0.2, "specular": 0.5}
    coat = {
        "type": "bumpmap",
        "height": texture(0.0003 * grain),
        "surface": {
            "type": "principled",
            "base_color": texture(to_linear(body_print()[::-1])),
            "roughness": 0.27,
            "specular": 0.6,
        },
    }
    return {
        "type": "scene",
        "room": {"type": "envmap", "bitmap": mitsuba.Bitmap(np.ascontiguousarray(around, np.float32)), "scale": 0.22},
        "key": lamp([-3.4, 2.6, 3.2], [0.7, 1.7], [15, 14.4, 13.6]),
        "fill": lamp([4.2, 1.8, 1.6], [0.5, 1.9], [4.4, 4.6, 5.0]),
        "floor": made_of(
            sheet(floor),
            {"type": "principled", "base_color": {"type": "rgb", "value": [0.55, 0.54, 0.53]}, "roughness": 0.8},
        ),
        "body": made_of(turned(body), coat),
        "neck": made_of(turned(neck), {"type": "roughconductor", "material": "Cr", "alpha": 0.13}),
        "lid": made_of(
            turned(lid, 384),
            {"type": "bumpmap", "height": texture(0.9 * ridges), "surface": {"type": "principled", **plastic}},
        ),
        "loop": made_of(loop(0.125, 0.026, 1.40), {"type": "principled", **plastic}),
    }


def sample() -> bytes:
    """Render the photo as a JPEG file."""
    chosen = renderer.prepare(Path("var/kernels"))
    import mitsuba

    mitsuba.set_variant(chosen.variant)
    camera = Camera(SIDE, SIDE, foot=0.90 * SIDE, pitch=0.15)
    sensor = {
        "type": "thinlens",
        "fov": camera.field_of_view,
        "aperture_radius": 0.03,
        "focus_distance": 6.75,
        "to_world": mitsuba.ScalarTransform4f().look_at(
            origin=camera.origin.tolist(), target=camera.target.tolist(), up=[0, 1, 0]
        ),
        "film": {"type": "hdrfilm", "width": SIDE, "height": SIDE, "rfilter": {"type": "box"}},
        "sampler": {"type": "independent"},
    }
    integrator = {"type": "aov", "aovs": "albedo:albedo,normal:sh_normal", "light": {"type": "path", "max_depth": 8}}
    loaded, lens, path = (mitsuba.load_dict(part) for part in (scene(), sensor, integrator))
    passes = [
        np.array(mitsuba.render(loaded, sensor=lens, integrator=path, spp=8, seed=one)) for one in range(SAMPLES // 8)
    ]
    traced = np.nan_to_num(np.mean(passes, axis=0))
    first = traced.shape[2] - 6
    clean = denoise(traced[..., :3], traced[..., first : first + 3], traced[..., first + 3 :])
    return encode_jpeg(to_srgb(develop(clean, 0.30, (1.0, 1.0), 7)), QUALITY)


if __name__ == "__main__":
    (Path(__file__).resolve().parents[1] / "gateway" / "web" / "sample.jpg").write_bytes(sample())
