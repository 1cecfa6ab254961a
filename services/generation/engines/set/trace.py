"""Path tracing of a set with Mitsuba 3, and denoising with Open Image Denoise.

Every set is made of the same few plug-ins (surroundings, meshes, one kind of surface, one lens), so that all of them
share the kernels that Dr.Jit compiles.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.camera import DISTANCE, Camera
from services.generation.engines.set.description import MatterDescription
from services.generation.engines.set.foregrounds import Mesh, Piece, merged, vertex_normals
from services.generation.engines.set.matter import make_matter
from services.generation.engines.set.noise import SIDE
from services.generation.engines.set.panorama import Light
from services.generation.engines.set.renderer import FAST

IN_FOCUS = 0.1
"""How far before the middle of the product's foot the lens is in focus, in units."""
DEPTH = 5
"""Bounces of light that are followed."""
PATHS = {"type": "path", "max_depth": DEPTH, "hide_emitters": True}
PATHS_PER_PASS = 1_280_000
"""Paths of light of a pass at most, which bounds memory; between passes a caller who has gone is noticed."""
MOST_SURFACES = 4
"""Matters of a foreground, and what shades it."""
SHADE = MatterDescription(kind="paper", colours=("#101010", "#181818"))
OUT_OF_SIGHT = Mesh(
    np.array([(0, -90, 0), (1, -90, 0), (0, -90, 1)], float),
    np.array([(0, 1, 2)]),
    np.array([(0, 0), (1, 0), (0, 1)], float),
)
THINNEST_COAT = 0.01
"""A surface without a coat would be another kind of surface, with a kernel of its own."""
RELIEF = 0.0016
"""Height of one unit of a matter's height map, in units of the scene, for a map of two units."""


@dataclass(frozen=True)
class Scene:
    """What is traced.

    Attributes:
        pieces: The foreground.
        surroundings: Light from all around, (256, 512, 3). The sizes of all maps are fixed: see `_as_data`.
        product: The product's solid.
        colours: Reflectance of the product, (h, w, 3).
        shade: What throws a pattern of shadows from outside the picture.
    """

    pieces: Sequence[Piece]
    surroundings: Light
    product: Mesh
    colours: Light
    shade: Mesh | None


class Surfaces:
    """The surfaces of the last foreground, kept for its next ad: a tenth of a second and 10 MB each."""

    def __init__(self) -> None:
        self._kept: tuple[str | None, Sequence[MatterDescription]] = (None, ())
        self._made: list[Any] = []

    def of(self, matters: Sequence[MatterDescription]) -> list[Any]:
        """Return a surface for Mitsuba of each matter."""
        import mitsuba

        wanted = mitsuba.variant(), matters
        if self._kept != wanted:
            # Away first: Dr.Jit numbers surfaces, and other numbers would be another kernel.
            self._kept, self._made = (None, ()), []
            self._made = [made_of(matter) for matter in matters]
            self._kept = wanted
        return self._made


def trace(
    scene: Scene,
    surfaces: Surfaces,
    camera: Camera,
    aperture: float,
    samples: int,
    seed: int,
    between: Callable[[], None],
) -> NDArray[np.float32]:
    """Trace a scene.

    Args:
        scene: What to trace.
        surfaces: Keeps what the next scene may have as well.
        camera: Camera.
        aperture: Radius of the lens, in units; the foot of the product is in focus.
        samples: Samples per pixel; rounded up to whole passes of the same number.
        seed: Seed of the samples.
        between: Called between passes; may raise to end the work.

    Returns:
        (H, W, 10): colour, coverage, albedo and normal.
    """
    import drjit
    import mitsuba

    loaded = mitsuba.load_dict(_scene(scene, surfaces))
    is_fast = mitsuba.variant() == FAST
    if is_fast:
        _as_data(loaded)
    one_pass = _fast_pass if is_fast else _plain_pass
    passes = min(samples, math.ceil(samples * camera.width * camera.height / PATHS_PER_PASS))
    total = np.zeros((camera.height, camera.width, 10), np.float32)
    for number in range(passes):
        between()
        total += one_pass(loaded, camera, aperture, math.ceil(samples / passes), (seed * 101 + number) & 0xFFFFFFFF)
    del loaded
    drjit.flush_malloc_cache()
    return np.asarray(np.nan_to_num(total / passes), np.float32)


def _fast_pass(scene: Any, camera: Camera, aperture: float, per_pixel: int, seed: int) -> Light:
    """Trace some samples per pixel. Return their means: colour, coverage, albedo, normal, (H, W, 10)."""
    import drjit
    import mitsuba

    integrator = mitsuba.load_dict(PATHS)
    sampler = mitsuba.load_dict({"type": "independent", "sample_count": per_pixel})
    count = camera.height * camera.width * per_pixel
    # Sizes, seeds and places are data here: as literals they would make each ad a kernel to compile.
    sampler.seed(drjit.opaque(mitsuba.UInt32, seed), count)
    pixel = drjit.arange(mitsuba.UInt32, count) // drjit.opaque(mitsuba.UInt32, per_pixel)
    ray = _rays(sampler, camera, aperture, pixel)
    light, is_hit, _ = integrator.sample(scene, sampler, mitsuba.RayDifferential3f(ray))
    surface = scene.ray_intersect(ray)
    albedo = drjit.select(surface.is_valid(), surface.bsdf().eval_diffuse_reflectance(surface), 0)
    normal = drjit.select(surface.is_valid(), surface.sh_frame.n, 0)
    coverage = drjit.select(is_hit, mitsuba.Float(1), 0)
    drjit.eval(light, coverage, albedo, normal)
    # One by one: together they are copied by a kernel of their own for each size.
    parts = [*_parts(light), coverage, *_parts(albedo), *_parts(normal)]
    means = [_mean(np.array(part).reshape(-1, per_pixel)) for part in parts]
    return np.stack(means, -1).reshape(camera.height, camera.width, -1)


def _mean(samples: Light) -> Light:
    """Return the mean of each row, column by column: NumPy's own takes twenty times as long for short rows."""
    total = samples[:, 0].copy()
    for column in samples.T[1:]:
        total += column
    return total / np.float32(samples.shape[1])


def _parts(vectors: Any) -> tuple[Any, Any, Any]:
    return vectors.x, vectors.y, vectors.z


def _plain_pass(scene: Any, camera: Camera, aperture: float, per_pixel: int, seed: int) -> Light:
    """Trace as `_fast_pass` does, without compiling."""
    import mitsuba

    sensor = {
        "type": "thinlens",
        "fov": camera.field_of_view,
        "fov_axis": "smaller",
        "aperture_radius": aperture,
        "focus_distance": DISTANCE - IN_FOCUS,
        "to_world": mitsuba.ScalarTransform4f().look_at(
            origin=camera.origin.tolist(), target=camera.target.tolist(), up=[0, 1, 0]
        ),
        "film": {
            "type": "hdrfilm",
            "width": camera.width,
            "height": camera.height,
            "pixel_format": "rgba",
            "rfilter": {"type": "box"},
        },
        "sampler": {"type": "independent"},
    }
    integrator = {"type": "aov", "aovs": "albedo:albedo,normal:sh_normal", "paths": PATHS}
    lens, traced = mitsuba.load_dict(sensor), mitsuba.load_dict(integrator)
    return np.array(mitsuba.render(scene, sensor=lens, integrator=traced, spp=per_pixel, seed=seed), np.float32)


def _rays(sampler: Any, camera: Camera, aperture: float, pixel: Any) -> Any:
    """Return rays through a thin lens that is in focus at the foot of the product."""
    import drjit
    import mitsuba

    def data(value: float) -> Any:
        return drjit.opaque(mitsuba.Float, value)

    def vector(values: NDArray[np.float64]) -> Any:
        return mitsuba.Vector3f(*(data(float(value)) for value in values))

    sine, cosine = np.sin(camera.pitch), np.cos(camera.pitch)
    right, up, ahead = (vector(np.array(axis)) for axis in ((1, 0, 0), (0, cosine, -sine), (0, -sine, -cosine)))
    place, lens = sampler.next_2d(), mitsuba.warp.square_to_uniform_disk_concentric(sampler.next_2d())
    width = drjit.opaque(mitsuba.UInt32, camera.width)
    column, row = mitsuba.Float(pixel % width) + place.x, mitsuba.Float(pixel // width) + place.y
    scale = data(1 / (camera.unit * DISTANCE))
    view = ahead + (column - data(camera.width / 2)) * scale * right + (data(camera.height / 2) - row) * scale * up
    offset = data(aperture) * (lens.x * right + lens.y * up)
    return mitsuba.Ray3f(
        mitsuba.Point3f(vector(camera.origin) + offset), drjit.normalize(view * data(DISTANCE - IN_FOCUS) - offset)
    )


def _as_data(loaded: Any) -> None:
    """Turn the numbers of a scene into data: literals would become part of its kernels, which fit only that scene."""
    import drjit
    import mitsuba

    values = mitsuba.traverse(loaded)
    for name in list(values.keys()):
        value = values[name]
        if isinstance(value, mitsuba.Float) and len(value) == 1:
            drjit.make_opaque(value)
            values[name] = value
    values.update()


def denoise(light: Light, albedo: Light, normal: Light) -> Light:
    """Denoise a picture in light: (H, W, 3) each."""
    import mitsuba_oidn

    parts = [np.ascontiguousarray(part, np.float32) for part in (light, np.clip(albedo, 0, 1), normal)]
    return np.asarray(np.maximum(np.array(mitsuba_oidn.denoise(*parts, hdr=True)), 0), np.float32)


def _scene(scene: Scene, surfaces: Surfaces) -> dict[str, Any]:
    import mitsuba

    parts: dict[str, Any] = {
        "type": "scene",
        "surroundings": {
            "type": "envmap",
            "bitmap": mitsuba.Bitmap(np.ascontiguousarray(scene.surroundings, np.float32)),
        },
    }
    by_matter: dict[MatterDescription, list[Mesh]] = {}
    for piece in scene.pieces:
        by_matter.setdefault(piece.matter, []).append(piece.mesh)
    shapes = [(merged(meshes), matter) for matter, meshes in by_matter.items()]
    shapes.append((scene.shade or OUT_OF_SIGHT, SHADE))
    # The number of surfaces is a part of the kernel, too.
    shapes += [(OUT_OF_SIGHT, SHADE)] * (MOST_SURFACES - len(shapes))
    made = surfaces.of([matter for _, matter in shapes])
    for number, ((mesh, matter), surface) in enumerate(zip(shapes, made, strict=True)):
        parts[f"surface{number}"] = placed(mesh, 1 / matter.size, surface)
    parts["product"] = placed(scene.product, 1.0, _product_surface(scene.colours))
    return parts


def placed(mesh: Mesh, scale: float, surface: Any) -> Any:
    """Return a mesh for Mitsuba, its places scaled to maps."""
    import mitsuba

    properties = mitsuba.Properties()
    properties["mesh_bsdf"] = surface
    made = mitsuba.Mesh(
        "mesh",
        len(mesh.vertices),
        len(mesh.faces),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=properties,
    )
    values = mitsuba.traverse(made)
    values["vertex_positions"] = np.ascontiguousarray(mesh.vertices, np.float32).ravel()
    values["faces"] = np.ascontiguousarray(mesh.faces, np.uint32).ravel()
    values["vertex_texcoords"] = np.ascontiguousarray(mesh.places * scale, np.float32).ravel()
    # Mitsuba's own function is compiled for each number of faces.
    values["vertex_normals"] = np.ascontiguousarray(vertex_normals(mesh), np.float32).ravel()
    values.update()
    return made


def made_of(description: MatterDescription) -> Any:
    """Return a surface of a matter for Mitsuba."""
    matter = make_matter(description)
    return _bsdf(
        matter.colour, matter.height, matter.roughness, matter.coat, RELIEF * description.relief * description.size / 2
    )


def _product_surface(colours: Light) -> Any:
    colours = np.asarray(cv2.resize(colours, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.float32)
    flat = np.zeros((SIDE, SIDE), np.float32)
    return _bsdf(np.clip(colours, 0, 0.95), flat, flat + 0.35, 0.0, RELIEF)


def _bsdf(colour: Light, height: Light, roughness: Light, coat: float, relief: float) -> Any:
    import mitsuba

    return mitsuba.load_dict(
        {
            "type": "twosided",
            "surface": {
                "type": "bumpmap",
                "height": _texture(height * np.float32(relief)),
                "surface": {
                    "type": "principled",
                    "base_color": _texture(colour),
                    "roughness": _texture(roughness),
                    "specular": 0.5,
                    "clearcoat": max(coat, THINNEST_COAT),
                    "clearcoat_gloss": 0.8,
                },
            },
        }
    )


def _texture(values: Light) -> dict[str, Any]:
    import mitsuba

    planes = np.ascontiguousarray(values if values.ndim == 3 else values[..., None], np.float32)
    return {"type": "bitmap", "bitmap": mitsuba.Bitmap(planes), "raw": True, "wrap_mode": "repeat", "format": "fp16"}
