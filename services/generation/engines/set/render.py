"""Rendering of a set: coarse sampling of smooth areas, several rays per pixel at edges."""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from common.imaging.codec import Pixels
from services.generation.engines.set.camera import DISTANCE, Camera
from services.generation.engines.set.lens import defocus, develop
from services.generation.engines.set.shade import Set, light_along
from services.generation.engines.set.solids import Plane, Points
from services.generation.engines.set.trace import column
from services.generation.srgb import Light

BLOCK = 49_152
"""Rays traced together: enough to amortise numpy's overhead, few enough for the cache."""
LOOKS = 320
"""Minimum number of coarse samples along the shorter image side; they are never denser than every second pixel."""
CORNERS = ((-0.33, -0.1), (0.27, -0.3), (0.06, 0.4))
"""Ray positions within an edge pixel, (x, y) in pixels from its centre."""
EDGE = 0.08
"""Minimum difference between neighbours at an edge, as square roots of linear light, which is near perceptual."""


def render(stage: Set, camera: Camera, seed: int) -> Pixels:
    """Render the set.

    Returns:
        (height, width, 3) uint8, sRGB, dithered with the seed.
    """
    step = max(2, min(camera.height, camera.width) // LOOKS)
    light, depth, edges = _smooth_places(stage, camera, step)
    rows, columns = np.nonzero(edges)
    right, down = (np.array(offsets, np.float32)[:, None] + 0.5 for offsets in zip(*CORNERS, strict=True))
    samples, depths = follow(stage, camera, (columns + right).ravel(), (rows + down).ravel())
    light[rows, columns] = samples.reshape(3, len(CORNERS), -1).mean(axis=1).T
    depth[rows, columns] = depths.reshape(len(CORNERS), -1).mean(axis=0)
    return develop(defocus(light, depth, DISTANCE), seed)


def _smooth_places(stage: Set, camera: Camera, step: int) -> tuple[Light, Plane, Plane]:
    """Trace every step-th pixel and interpolate between them.

    Returns:
        Light (H, W, 3), depth (H, W), and an edge mask (H, W): 1 where the interpolation is unreliable, else 0.
    """
    down, across = -(-camera.height // step), -(-camera.width // step)
    rows, columns = (np.indices((down, across), np.float32).reshape(2, -1) + 0.5) * step
    light, depth = follow(stage, camera, columns, rows)
    seen = light.T.reshape(down, across, 3)

    def spread(coarse: Light, how: int) -> Light:
        fine = cv2.resize(coarse, (across * step, down * step), interpolation=how)
        return np.ascontiguousarray(fine[: camera.height, : camera.width])

    return (
        spread(seen, cv2.INTER_LINEAR),
        spread(depth.reshape(down, across), cv2.INTER_LINEAR),
        spread(_edges(seen), cv2.INTER_NEAREST),
    )


def _edges(light: Light) -> Plane:
    """Return 1 for each pixel that differs from its right or lower neighbour, and for that neighbour; else 0."""
    value = np.sqrt(np.clip(light, 0, 1))
    edges = np.zeros(value.shape[:2], np.float32)
    across = np.abs(np.diff(value, axis=1)).max(axis=2) > EDGE
    down = np.abs(np.diff(value, axis=0)).max(axis=2) > EDGE
    edges[:, 1:][across] = edges[:, :-1][across] = 1
    edges[1:][down] = edges[:-1][down] = 1
    return edges


def follow(stage: Set, camera: Camera, columns: Plane, rows: Plane) -> tuple[Points, Plane]:
    """Return light (3, n) and depth (n,) at n image points, in pixels."""
    columns, rows = columns.astype(np.float32), rows.astype(np.float32)
    blocks = [slice(start, start + BLOCK) for start in range(0, columns.size, BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(lambda block: _follow_block(stage, camera, columns[block], rows[block]), blocks))
    return np.hstack([light for light, _ in parts]), np.hstack([depth for _, depth in parts])


def _follow_block(stage: Set, camera: Camera, columns: Plane, rows: Plane) -> tuple[Points, Plane]:
    light, hits = light_along(stage, column(camera.origin), camera.rays(columns, rows))
    return light, hits.distance
