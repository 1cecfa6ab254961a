"""Renders the products: `python -m testing.products.render [FOLDER] [NAME ...]`, about six seconds each.

FOLDER gets, for each picture, `images/NAME.jpg`, `masks/NAME.png` (alpha) and, for glass, `clear/NAME.png` (how much of
what is behind it each of its pixels lets through). bench/cutout_quality.py reads such folders.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import encode_jpeg, encode_png
from services.generation.engines.set import renderer
from services.generation.engines.set.foregrounds import Mesh, merged, rounded_edge, sheet
from services.generation.engines.set.panorama import read_panorama
from services.generation.engines.set.set_engine import PANORAMAS
from services.generation.engines.set.trace import made_of, placed
from testing.products.catalogue import Photo, photos
from testing.products.makers import GLASSES, Substance
from testing.rooms.render import photographed

FOLDER = Path("var/products")
QUALITY = 92
SAMPLES = 16
COVERAGE = 8
"""Side of the grid of rays in each pixel by which alpha is known."""
ANGLE = 28.0
WALL = -1.1
TINTS = {
    "glass": (1.0, 1.0, 1.0),
    "green glass": (0.55, 0.85, 0.6),
    "brown glass": (0.75, 0.5, 0.25),
    "blue glass": (0.5, 0.68, 0.9),
}
METALS = {"chrome": "Cr", "gold": "Au"}
Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Rendered:
    """A rendered picture.

    Attributes:
        pixels: (H, W, 3).
        alpha: Part of each pixel that the product covers, (H, W), 0 to 1.
        clear: Part of the light from behind that the product lets through, (H, W), 0 to 1; None unless it is glass.
    """

    pixels: NDArray[np.uint8]
    alpha: Plane
    clear: Plane | None


def render(photo: Photo) -> Rendered:
    """Render a picture and what is known of it."""
    import mitsuba

    meshes = _placed(photo)
    substances = [substance for _, substance in photo.parts]
    parts = _by_substance(meshes, substances)
    scene = mitsuba.load_dict(dict(_scene(photo, parts)))
    sensor = mitsuba.load_dict(_sensor(photo))
    is_glass = any(one in GLASSES for one in substances)
    pixels = photographed(scene, sensor, 10 if is_glass else 4, SAMPLES, photo.ground.exposure)
    return Rendered(pixels, _alpha(parts, sensor, photo.size), _clear(parts, sensor) if is_glass else None)


def _placed(photo: Photo) -> list[Mesh]:
    """Return the product's meshes, its foot in the middle of the ground, its longer side one unit."""
    points = np.concatenate([mesh.vertices for mesh, _ in photo.parts])
    low, high = points.min(0), points.max(0)
    scale = 1 / float((high - low)[:2].max())
    start = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return [Mesh((mesh.vertices - start) * scale, mesh.faces, mesh.places * scale) for mesh, _ in photo.parts]


def _by_substance(meshes: list[Mesh], substances: list[Substance]) -> list[tuple[Mesh, Substance]]:
    groups: dict[Substance, list[Mesh]] = {}
    for mesh, substance in zip(meshes, substances, strict=True):
        groups.setdefault(substance, []).append(mesh)
    return [(merged(group), substance) for substance, group in groups.items()]


def _sensor(photo: Photo) -> dict[str, Any]:
    import mitsuba

    width, height = photo.size
    tall = max(mesh.vertices[:, 1].max() for mesh in _placed(photo))
    distance = 0.5 / photo.fills / math.tan(math.radians(ANGLE / 2))
    pitch = math.radians(photo.pitch)
    middle = np.array([0, tall / 2, 0])
    shown = 1 / photo.fills
    middle = middle + np.array([-photo.aside[0] * shown, photo.aside[1] * shown, 0])
    eye = middle + distance * np.array([0, math.sin(pitch), math.cos(pitch)])
    return {
        "type": "perspective",
        "fov": ANGLE,
        "fov_axis": "smaller",
        "to_world": mitsuba.ScalarTransform4f().look_at(origin=eye.tolist(), target=middle.tolist(), up=[0, 1, 0]),
        "film": {"type": "hdrfilm", "width": width, "height": height, "rfilter": {"type": "box"}},
        "sampler": {"type": "independent"},
    }


def _substance(substance: Substance) -> Any:
    import mitsuba

    if not isinstance(substance, str):
        return made_of(substance)
    if substance in METALS:
        return mitsuba.load_dict({"type": "roughconductor", "material": METALS[substance], "alpha": 0.08})
    # Light loses half of its colour at each of the two surfaces of a wall.
    tint = np.sqrt(np.array(TINTS[substance])).tolist()
    return mitsuba.load_dict(
        {"type": "dielectric", "int_ior": 1.5, "specular_transmittance": {"type": "rgb", "value": tint}}
    )


def _product(parts: list[tuple[Mesh, Substance]]) -> Iterator[tuple[str, Any]]:
    for number, (mesh, substance) in enumerate(parts):
        size = substance.size if not isinstance(substance, str) else 1.0
        yield f"part{number}", placed(mesh, 1 / size, _substance(substance))


def _scene(photo: Photo, parts: list[tuple[Mesh, Substance]]) -> Iterator[tuple[str, Any]]:
    import mitsuba

    ground = photo.ground
    yield "type", "scene"
    around = np.minimum(np.array(read_panorama(PANORAMAS / f"{ground.panorama}.exr")), 40)
    around = cv2.GaussianBlur(cv2.resize(around, (1536, 768), interpolation=cv2.INTER_CUBIC), (0, 0), 3)
    around = np.maximum(around, 0)
    yield (
        "around",
        {
            "type": "envmap",
            "bitmap": mitsuba.Bitmap(np.ascontiguousarray(around, np.float32)),
            "scale": 0.5 if ground.is_sweep or ground.wall else 1.0,
        },
    )
    look = mitsuba.ScalarTransform4f().look_at(origin=list(ground.light), target=[0, 0.4, 0], up=[0, 1, 0])
    strength = 34 / ground.softness**2 * (1.0 if ground.is_sweep or ground.wall else 0.6)
    yield (
        "window",
        {
            "type": "rectangle",
            "to_world": look @ mitsuba.ScalarTransform4f().scale([ground.softness, ground.softness, 1]),
            "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [strength, strength, 0.95 * strength]}},
        },
    )
    for number, (mesh, matter) in enumerate(_grounds(photo)):
        yield f"ground{number}", placed(mesh, 1 / matter.size, made_of(matter))
    yield from _product(parts)


def _grounds(photo: Photo) -> Iterator[tuple[Mesh, Any]]:
    ground = photo.ground
    if ground.is_sweep:
        bend = np.linspace(0, math.pi / 2, 24)
        curve = np.stack([WALL - np.sin(bend), 1 - np.cos(bend)], -1)
        yield sheet(np.concatenate([[(9.0, 0.0), (1.0, 0.0)], curve, [(WALL - 1, 14.0)]])), ground.floor
    elif ground.wall:
        yield sheet(np.array([(9.0, 0.0), (1.0, 0.0), (WALL, 0.0)])), ground.floor
        yield sheet(np.array([(WALL, -0.1), (WALL, 12.0)])), ground.wall
    else:
        yield sheet(rounded_edge(1.6, 0, -0.12, -1.3, 0.04)), ground.floor


def _alpha(parts: list[tuple[Mesh, Substance]], sensor: Any, size: tuple[int, int]) -> Plane:
    """Return the part of each pixel's rays that meet the product."""
    import drjit
    import mitsuba

    width, height = size
    alone = mitsuba.load_dict({"type": "scene", **dict(_product(parts))})
    pixel = drjit.arange(mitsuba.UInt32, width * height)
    met = np.zeros(width * height, np.float32)
    for across in (np.arange(COVERAGE) + 0.5) / COVERAGE:
        for down in (np.arange(COVERAGE) + 0.5) / COVERAGE:
            x, y = (
                drjit.opaque(mitsuba.Float, float(part)) for part in (across, down)
            )  # a literal would be compiled each time
            place = mitsuba.Point2f(
                (mitsuba.Float(pixel % width) + x) / width, (mitsuba.Float(pixel // width) + y) / height
            )
            ray, _ = sensor.sample_ray(0, 0.5, place, mitsuba.Point2f(0.5))
            met += np.array(alone.ray_test(ray)).astype(np.float32)
    return np.asarray(met.reshape(height, width) / COVERAGE**2, np.float32)


def _clear(parts: list[tuple[Mesh, Substance]], sensor: Any) -> Plane:
    """Return what a product lets through: the light that it shows of surroundings of one brightness, refracted or not.

    Mirrored light comes from there, too: a few per cent, but at a grazing angle.
    """
    import mitsuba

    around = {"type": "constant", "radiance": {"type": "rgb", "value": 1.0}}
    alone = mitsuba.load_dict({"type": "scene", "around": around, **dict(_product(parts))})
    path = mitsuba.load_dict({"type": "path", "max_depth": 12})
    shown = np.array(mitsuba.render(alone, sensor=sensor, integrator=path, spp=64, seed=1))[..., :3].mean(-1)
    return np.asarray(np.clip(shown, 0, 1), np.float32)


def main() -> None:
    """Render every picture, or those named; leave those that are there."""
    folder, *names = [Path(one) for one in sys.argv[1:]] or [FOLDER]
    chosen = renderer.prepare(Path("var/kernels"))
    if not chosen.is_fast:
        raise SystemExit("This needs libLLVM 17 or later; see docs/operations.md.")
    import mitsuba

    mitsuba.set_variant(chosen.variant)
    for part in ("images", "masks", "clear"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name, photo in photos():
        file = folder / "images" / f"{name}.jpg"
        if (names and Path(name) not in names) or (not names and file.exists()):
            continue
        rendered = render(photo)
        (folder / "masks" / f"{name}.png").write_bytes(_as_png(rendered.alpha))
        if rendered.clear is not None:
            (folder / "clear" / f"{name}.png").write_bytes(_as_png(rendered.clear))
        file.write_bytes(encode_jpeg(rendered.pixels, QUALITY))
        print(name, flush=True)


def _as_png(plane: Plane) -> bytes:
    return encode_png(np.round(plane * 255).astype(np.uint8))


if __name__ == "__main__":
    main()
