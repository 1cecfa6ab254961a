"""The studio in which the sample photos are taken: paper on the floor of a room, a window on the left, one on the right.

Path-traced with the renderer of the sets.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import encode_jpeg
from services.generation.engines.set import renderer
from services.generation.engines.set.camera import Camera
from services.generation.engines.set.develop import develop
from services.generation.engines.set.foregrounds import Mesh, grid_faces, sheet
from services.generation.engines.set.panorama import read_panorama
from services.generation.engines.set.set_engine import PANORAMAS
from services.generation.engines.set.trace import denoise, placed
from services.generation.srgb import to_linear, to_srgb

SIDE = 1200
QUALITY = 90
SAMPLES = 48
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


def tube(line: list[tuple[float, float, float]], radius: float, across: float = 1.0, sides: int = 48) -> Mesh:
    """Return a round bar along a line; `across` stretches it sideways."""
    points = np.array(line)
    ahead = np.gradient(points, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    aside = np.broadcast_to([0.0, 0.0, 1.0], ahead.shape)
    upward = np.cross(aside, ahead)
    turn = np.linspace(0, 2 * math.pi, sides + 1)[:, None]
    ring = radius * (np.cos(turn)[..., None] * upward + across * np.sin(turn)[..., None] * aside)
    vertices = (points + ring).transpose(1, 0, 2).reshape(-1, 3)
    rows, columns = np.meshgrid(np.linspace(0, 1, len(points)), np.linspace(0, 1, sides + 1), indexing="ij")
    return Mesh(vertices, grid_faces(len(points), sides + 1)[:, ::-1], np.stack([columns, rows], -1).reshape(-1, 2))


def colour(srgb: tuple[int, int, int]) -> dict[str, Any]:
    """Return a colour."""
    return {"type": "rgb", "value": [float(one) for one in to_linear(np.array([[srgb]], np.uint8))[0, 0]]}


def rough(height: NDArray[Any], scale: float, kind: dict[str, Any]) -> dict[str, Any]:
    """Return a surface with bumps."""
    return {"type": "bumpmap", "height": texture(scale * height), "surface": kind}


def printed(values: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the colours of a print, top row first."""
    return texture(to_linear(values[::-1]))


@dataclass(frozen=True)
class Shot:
    """How a photo is taken.

    Attributes:
        paper: Colour of the paper.
        foot: Row of the point of the floor that the camera looks at, as a fraction of the picture's height.
        pitch: How far down the camera looks, in radians.
        exposure: Geometric mean of the luminance.
    """

    paper: tuple[int, int, int] = (194, 192, 191)
    foot: float = 0.90
    pitch: float = 0.15
    exposure: float = 0.30


def _room(paper: tuple[int, int, int]) -> dict[str, Any]:
    import mitsuba

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

    return {
        "type": "scene",
        "room": {"type": "envmap", "bitmap": mitsuba.Bitmap(np.ascontiguousarray(around, np.float32)), "scale": 0.22},
        "key": lamp([-3.4, 2.6, 3.2], [0.7, 1.7], [15, 14.4, 13.6]),
        "fill": lamp([4.2, 1.8, 1.6], [0.5, 1.9], [4.4, 4.6, 5.0]),
        "floor": made_of(sheet(floor), {"type": "principled", "base_color": colour(paper), "roughness": 0.8}),
    }


def photo(product: Callable[[], dict[str, Any]], shot: Shot) -> bytes:
    """Take a photo of a product, given by its parts for Mitsuba: a JPEG file."""
    chosen = renderer.prepare(Path("var/kernels"))
    import mitsuba

    mitsuba.set_variant(chosen.variant)
    camera = Camera(SIDE, SIDE, foot=shot.foot * SIDE, pitch=shot.pitch)
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
    scene = _room(shot.paper) | product()
    loaded, lens, path = (mitsuba.load_dict(part) for part in (scene, sensor, integrator))
    passes = [
        np.array(mitsuba.render(loaded, sensor=lens, integrator=path, spp=8, seed=one)) for one in range(SAMPLES // 8)
    ]
    traced = np.nan_to_num(np.mean(passes, axis=0))
    first = traced.shape[2] - 6
    clean = denoise(traced[..., :3], traced[..., first : first + 3], traced[..., first + 3 :])
    return encode_jpeg(to_srgb(develop(clean, shot.exposure, (1.0, 1.0), 7)), QUALITY)
