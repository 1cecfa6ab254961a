"""The product as a solid, so that its shadow, its contact with the ground and its reflection can be traced.

Only the outline of a product is known. It is blown up: its thickness is the root of a solution of Poisson's equation,
which makes a strip a cylinder and a disc a flattened ball. Then it is bent so that what touches the ground in the
picture touches it in space: its middle surface solves Laplace's equation between the points of contact. Each vertex
moves along its ray from the lens, so that the outline stays the cut-out's.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.camera import Camera
from services.generation.engines.set.foregrounds import Mesh, grid_faces
from services.generation.geometry import Box
from services.generation.silhouette import silhouette
from services.generation.srgb import Light

CELLS = 112
"""Cells of the solid along its longer side."""
TOUCHING = 0.012
"""Height above a lowest point within which the outline touches the ground too, as a fraction of the product's."""
RAISED = 0.16
"""Height above the lowest point of all within which other low points stand on the ground, farther back."""
ROUNDS = 100
"""Rounds of the solver."""
COARSEST = 8
"""Cells across below which a grid is not halved again."""
INSIDE = 1.5
"""How much smaller the solid is than the cut-out, in pixels: it must not show beside it."""
Plane = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Solid:
    """A product in space.

    Attributes:
        mesh: Its surface; places are positions in the cut-out, 0 to 1, from the lower left.
        contacts: Where it touches the ground, in pixels of the picture, (N, 2) of (column, row); empty if it hangs.
    """

    mesh: Mesh
    contacts: NDArray[np.float64]


def make_solid(layer: Light, box: Box, camera: Camera, *, stands: bool = True) -> Solid:
    """Make a solid of a cut-out at its place in a picture.

    Args:
        layer: (h, w, 4), of the size of the box, premultiplied.
        box: Where it is in the picture.
        camera: Camera of the picture.
        stands: Whether it stands on the ground; else its middle surface is at z = 0.
    """
    height, width = layer.shape[:2]
    scale = CELLS / max(height, width)
    rows, columns = max(8, round(height * scale)), max(8, round(width * scale))
    mask = silhouette(np.asarray(cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_AREA), np.float32))
    if not mask.any():
        mask[rows // 2, columns // 2] = True
    touching = contact_cells(mask) if stands else np.zeros_like(mask)
    thickness = _thickness(mask, touching) * (height / rows / camera.unit)
    down, across = np.mgrid[:rows, :columns] + 0.5
    # A little smaller than the cut-out, about the middle of its foot.
    x = box.left + width / 2 + (across / columns - 0.5) * (width - 2 * INSIDE)
    y = box.top + height - (1 - down / rows) * (height - INSIDE)
    middle = np.zeros_like(x)
    if stands:
        below = box.top + (np.nonzero(touching)[0] + 1) / rows * height
        middle[touching] = camera.on_ground(x[touching], below)[:, 2] - thickness[touching]
        middle = _membrane(mask, touching, middle)
    front = camera.at_depth(x, y, middle + thickness)
    back = camera.at_depth(x, y, middle - thickness)
    contacts = np.stack([x[touching], box.top + (np.nonzero(touching)[0] + 1) / rows * height], -1)
    return Solid(_closed(mask, front, back), contacts)


def contact_cells(mask: Mask) -> Mask:
    """Return the cells with which a product touches the ground: the lowest ones of its lower outline.

    Wheels, feet and legs are lowest points of the outline; those in the picture's depth show a little higher.
    """
    rows, columns = mask.shape
    lowest = np.where(mask.any(axis=0), rows - 1 - np.argmax(mask[::-1], axis=0), -1)
    bottom = int(lowest.max())
    reach = max(2, columns // 24)
    near = np.array([lowest[max(0, at - reach) : at + reach + 1].max() for at in range(columns)])
    slack = max(1, round(TOUCHING * rows))
    is_low = (lowest >= near - slack) & (lowest >= bottom - RAISED * rows) & (lowest >= 0)
    # A low point is one from which the outline rises on both sides; a slope has none.
    peaks = [at for at in range(columns) if is_low[at] and lowest[at] == near[at]]
    touching = np.zeros_like(mask)
    for at in range(columns):
        if is_low[at] and any(abs(at - peak) <= reach and lowest[at] >= lowest[peak] - slack for peak in peaks):
            touching[lowest[at], at] = True
    return touching


def _neighbours(plane: Plane) -> Plane:
    """Return the sum of the four neighbours of each cell; there is nothing outside."""
    padded = np.pad(plane, 1)
    return np.asarray(padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:])


def _solved(start: Plane, free: Mask, count: Plane, source: float) -> Plane:
    """Solve `count * value - sum of neighbours = source` in the free cells, by over-relaxation on a chequerboard."""
    rows, columns = start.shape
    padded = np.pad(start, 1)
    value = padded[1:-1, 1:-1]
    up, down, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    parity = np.add.outer(np.arange(rows), np.arange(columns)) % 2
    step = 2 / (1 + np.sin(np.pi / max(rows, columns)))
    halves = [step * (free & (parity == colour)) for colour in (0, 1)]
    for _ in range(ROUNDS):
        for half in halves:
            value += half * ((up + down + left + right + source) / count - value)
    return value.copy()


def _thickness(mask: Mask, touching: Mask) -> Plane:
    """Return half the thickness in cells. No flux leaves through the contacts: a bottle's foot is as wide as it is."""
    count = np.full(mask.shape, 4.0)
    bottom = int(np.nonzero(mask.any(axis=1))[0].max())
    foot = touching & (np.arange(len(mask)) >= bottom - max(1, round(TOUCHING * len(mask))))[:, None]
    count[foot] = 3.0
    return np.sqrt(np.maximum(_solved(np.zeros(mask.shape), mask, count, 2.0), 0))


def _membrane(mask: Mask, fixed: Mask, values: Plane) -> Plane:
    """Return a smooth surface through the values of the fixed cells, which bends as little as it can elsewhere.

    It starts from the surface of half as many cells: what is far from every contact would take long to settle.
    """
    mean = float(values[fixed].mean())
    start = np.full(mask.shape, mean)
    if min(mask.shape) > COARSEST:
        number = _halved(fixed)
        coarse = _membrane(_halved(mask) > 0, number > 0, _halved(values * fixed) / np.maximum(number, 1))
        start = coarse.repeat(2, axis=0).repeat(2, axis=1)[: len(mask), : mask.shape[1]]
    start = np.where(fixed, values, np.where(mask, start, 0.0))
    count = np.maximum(_neighbours(mask.astype(float)), 1.0)
    return np.where(mask, _solved(start, mask & ~fixed, count, 0.0), mean)


def _halved(plane: NDArray[Any]) -> Plane:
    """Return the sum of each two by two cells."""
    rows, columns = plane.shape
    even = np.pad(plane.astype(float), ((0, rows % 2), (0, columns % 2)))
    return np.asarray(even.reshape(len(even) // 2, 2, -1, 2).sum(axis=(1, 3)))


def _closed(mask: Mask, front: Plane, back: Plane) -> Mesh:
    """Return the surface of front, back and the rim between them."""
    rows, columns = mask.shape
    faces = grid_faces(rows, columns)
    faces = faces[mask.ravel()[faces].all(axis=1)]
    behind = faces[:, ::-1] + rows * columns
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # An edge of one face only, whichever way it runs, is at the rim.
    names = edges.min(axis=1) * (rows * columns) + edges.max(axis=1)
    _, first, count = np.unique(names, return_inverse=True, return_counts=True)
    rim = edges[count[first] == 1]
    other = rim + rows * columns
    sides = [np.stack([rim[:, 0], other[:, 0], rim[:, 1]], 1), np.stack([rim[:, 1], other[:, 0], other[:, 1]], 1)]
    faces = np.concatenate([faces, behind, *sides])
    down, across = np.mgrid[:rows, :columns] + 0.5
    places = np.stack([across / columns, 1 - down / rows], -1).reshape(-1, 2)
    vertices = np.concatenate([front.reshape(-1, 3), back.reshape(-1, 3)])
    used, packed = np.unique(faces, return_inverse=True)
    return Mesh(vertices[used], packed.reshape(-1, 3), np.concatenate([places, places])[used])
