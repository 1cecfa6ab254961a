"""Renders the rooms: `python -m testing.rooms.render [NAME ...]`. It takes a minute for each."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from common.imaging.codec import encode_jpeg, encode_png
from services.generation.engines.set import renderer
from services.generation.engines.set.develop import develop
from services.generation.engines.set.panorama import read_panorama
from services.generation.engines.set.set_engine import PANORAMAS
from services.generation.engines.set.trace import denoise, made_of, placed
from services.generation.srgb import to_srgb
from testing.rooms.scenes import ROOMS, Room
from testing.rooms.truth import PICTURES, SURFACE, THING

WIDTH, HEIGHT = 960, 720
KEPT = (640, 480)
QUALITY = 88
SAMPLES, PER_PASS = 48, 8


def render(room: Room, samples: int = SAMPLES) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Render a room: its picture, (H, W, 3), and what each pixel shows, (H, W); see truth.py."""
    import mitsuba

    loaded, shapes = _loaded(room)
    sensor = mitsuba.load_dict(
        {
            "type": "perspective",
            "fov": room.view.angle,
            "to_world": mitsuba.ScalarTransform4f().look_at(
                origin=list(room.view.eye), target=list(room.view.at), up=[0, 1, 0]
            ),
            "film": {"type": "hdrfilm", "width": WIDTH, "height": HEIGHT, "rfilter": {"type": "box"}},
            "sampler": {"type": "independent"},
        }
    )
    pixels = photographed(loaded, sensor, bounces=6, samples=samples, exposure=0.22)
    return pixels, _labels(room, loaded, shapes, sensor)


def photographed(scene: Any, sensor: Any, bounces: int, samples: int, exposure: float) -> NDArray[np.uint8]:
    """Trace, denoise and develop a scene, (H, W, 3).

    Args:
        scene: A scene of Mitsuba.
        sensor: A camera of Mitsuba.
        bounces: Bounces of light that are followed.
        samples: Samples per pixel.
        exposure: Geometric mean of the luminance that the picture gets.
    """
    import mitsuba

    path = {"type": "path", "max_depth": bounces}
    light = mitsuba.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal", "light": path})
    passes = [
        np.array(mitsuba.render(scene, sensor=sensor, integrator=light, spp=PER_PASS, seed=one))
        for one in range(samples // PER_PASS)
    ]
    traced = np.nan_to_num(np.mean(passes, axis=0)).astype(np.float32)
    first = traced.shape[2] - 6
    clean = denoise(traced[..., :3], traced[..., first : first + 3], traced[..., first + 3 :])
    return np.asarray(to_srgb(develop(clean, exposure, (1.0, 1.0), 3)), np.uint8)


def _labels(room: Room, loaded: Any, shapes: list[Any], sensor: Any) -> NDArray[np.uint8]:
    import drjit
    import mitsuba

    pixel = drjit.arange(mitsuba.UInt32, WIDTH * HEIGHT)
    place = mitsuba.Point2f(
        (mitsuba.Float(pixel % WIDTH) + 0.5) / WIDTH, (mitsuba.Float(pixel // WIDTH) + 0.5) / HEIGHT
    )
    ray, _ = sensor.sample_ray(0, 0.5, place, mitsuba.Point2f(0.5))
    hit = loaded.ray_intersect(ray)
    upright, high = (np.array(part).reshape(HEIGHT, WIDTH) for part in (hit.n.y, hit.p.y))
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for part, shape in zip(room.parts, shapes, strict=True):
        here = np.array(hit.shape == mitsuba.ShapePtr(shape)).reshape(HEIGHT, WIDTH)
        if part.role == "thing":
            labels[here] = THING + part.thing
        elif part.role == "surface":
            labels[here & (np.abs(upright) > 0.9) & (np.abs(high) < 0.01)] = SURFACE
    return labels


def _loaded(room: Room) -> tuple[Any, list[Any]]:
    import mitsuba

    parts = dict(_scene(room))
    shapes = [parts[f"part{number}"] for number in range(len(room.parts))]
    return mitsuba.load_dict(parts), shapes


def _scene(room: Room) -> Iterator[tuple[str, Any]]:
    import mitsuba

    yield "type", "scene"
    around = np.minimum(np.array(read_panorama(PANORAMAS / f"{room.panorama}.exr")), 60)
    around = cv2.resize(around, (1024, 512), interpolation=cv2.INTER_AREA)
    yield (
        "around",
        {
            "type": "envmap",
            "bitmap": mitsuba.Bitmap(np.ascontiguousarray(around, np.float32)),
            "scale": 0.4 if room.window else 1.0,
        },
    )
    if room.window:
        look = mitsuba.ScalarTransform4f().look_at(origin=list(room.window), target=[0, 0.2, -0.5], up=[0, 1, 0])
        yield (
            "window",
            {
                "type": "rectangle",
                "to_world": look @ mitsuba.ScalarTransform4f().scale([0.8, 1.0, 1]),
                "emitter": {"type": "area", "radiance": {"type": "rgb", "value": [30, 29, 27]}},
            },
        )
    for number, part in enumerate(room.parts):
        yield f"part{number}", placed(part.mesh, 1 / part.matter.size, made_of(part.matter))


def main() -> None:
    """Render every room, or those named."""
    chosen = renderer.prepare(Path("var/kernels"))
    import mitsuba

    mitsuba.set_variant(chosen.variant)
    for name in sys.argv[1:] or ROOMS:
        pixels, labels = render(ROOMS[name]())
        small = cv2.resize(pixels, KEPT, interpolation=cv2.INTER_AREA)
        (PICTURES / f"{name}.jpg").write_bytes(encode_jpeg(np.asarray(small, np.uint8), QUALITY))
        known = cv2.resize(labels, KEPT, interpolation=cv2.INTER_NEAREST)
        (PICTURES / f"{name}.png").write_bytes(encode_png(np.asarray(known, np.uint8)))


if __name__ == "__main__":
    main()
