"""Renders a set: smooth places coarsely, and wherever there is an edge every pixel several times."""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from services.generation.background.studio.camera import DISTANCE, Camera
from services.generation.background.studio.lens import defocus, develop
from services.generation.background.studio.shade import Set, light_along
from services.generation.background.studio.solids import Plane, Points
from services.generation.background.studio.trace import column
from services.generation.light import Light
from services.runtime.image import Pixels

BLOCK = 49_152
"""Rays that are followed together: many enough that numpy's own costs do not count, and few for the cache."""
LOOKS = 320
"""Smooth places are looked at so many times along the shorter side, or a little more often; but never more often than
every other pixel."""
CORNERS = ((-0.33, -0.1), (0.27, -0.3), (0.06, 0.4))
"""Where in an edge pixel its rays go, in pixels from the middle."""
EDGE = 0.08
"""Neighbours that differ by so much, as the eye sees it, have an edge between them."""


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
    """Look at every step-th pixel, and spread what is seen over those between.

    Returns:
        Light (H, W, 3) and depth (H, W); and (H, W), 1 where they are not to be trusted: at edges, else 0.
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
    """Give 1 where a pixel differs from its neighbour to the right or below, and for that neighbour; else 0."""
    value = np.sqrt(np.clip(light, 0, 1))
    edges = np.zeros(value.shape[:2], np.float32)
    across = np.abs(np.diff(value, axis=1)).max(axis=2) > EDGE
    down = np.abs(np.diff(value, axis=0)).max(axis=2) > EDGE
    edges[:, 1:][across] = edges[:, :-1][across] = 1
    edges[1:][down] = edges[:-1][down] = 1
    return edges


def follow(stage: Set, camera: Camera, columns: Plane, rows: Plane) -> tuple[Points, Plane]:
    """Give light (3, n) and depth (n,) at n places of the picture."""
    columns, rows = columns.astype(np.float32), rows.astype(np.float32)
    blocks = [slice(start, start + BLOCK) for start in range(0, columns.size, BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(lambda block: _follow_block(stage, camera, columns[block], rows[block]), blocks))
    return np.hstack([light for light, _ in parts]), np.hstack([depth for _, depth in parts])


def _follow_block(stage: Set, camera: Camera, columns: Plane, rows: Plane) -> tuple[Points, Plane]:
    light, hits = light_along(stage, column(camera.origin), camera.rays(columns, rows))
    return light, hits.distance
