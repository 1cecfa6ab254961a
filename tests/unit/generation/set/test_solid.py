from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.generation.engines.set.camera import Camera
from services.generation.engines.set.look import PITCHES, look_at
from services.generation.engines.set.solid import _membrane, contact_cells, make_solid
from services.generation.geometry import Box
from services.generation.srgb import Light
from tests.unit.generation.set.conftest import jar

CAMERA = Camera(300, 250, foot=200, pitch=0.13)


def layer_of(alpha: NDArray[Any]) -> Light:
    plane = alpha.astype(np.float32)
    return np.dstack([plane * 0.4, plane * 0.4, plane * 0.4, plane]).astype(np.float32)


def wheels() -> Light:
    """Return two wheels with a frame between, the right one a little higher: it is farther away."""
    picture = np.zeros((100, 180), np.uint8)
    cv2.circle(picture, (40, 68), 30, 255, 5)
    cv2.circle(picture, (140, 64), 30, 255, 5)
    cv2.line(picture, (40, 68), (140, 64), 255, 6)
    return layer_of(picture > 127)


def box_of(layer: Light, middle: int = 150, foot: int = 200) -> Box:
    height, width = layer.shape[:2]
    return Box(middle - width // 2, foot - height, middle - width // 2 + width, foot)


def test_a_disc_becomes_a_flattened_ball() -> None:
    disc = np.zeros((101, 101), np.uint8)
    cv2.circle(disc, (50, 50), 48, 255, -1)
    layer = layer_of(disc > 127)
    solid = make_solid(layer, box_of(layer), CAMERA, stands=False)
    width, height, depth = np.ptp(solid.mesh.vertices, axis=0)
    assert width == pytest.approx(height, rel=0.05)
    assert depth == pytest.approx(width / np.sqrt(2), rel=0.1)


def test_the_outline_is_the_cutouts() -> None:
    """Seen from the camera, the solid covers the cut-out and nothing else."""
    layer = jar()
    box = box_of(layer)
    solid = make_solid(layer, box, CAMERA)
    towards = solid.mesh.vertices - CAMERA.origin
    sine, cosine = np.sin(CAMERA.pitch), np.cos(CAMERA.pitch)
    ahead = -towards[:, 1] * sine - towards[:, 2] * cosine
    up = towards[:, 1] * cosine - towards[:, 2] * sine
    columns = CAMERA.width / 2 + towards[:, 0] / ahead * CAMERA.unit * 7
    rows = CAMERA.height / 2 - up / ahead * CAMERA.unit * 7
    assert box.left <= columns.min() < box.left + 4
    assert box.right - 4 < columns.max() <= box.right
    assert box.top <= rows.min() < box.top + 4
    assert box.bottom - 3 < rows.max() <= box.bottom + 0.5


def test_a_jar_stands_on_its_whole_foot() -> None:
    solid = make_solid(jar(), box_of(jar()), CAMERA)
    front = solid.mesh.vertices[solid.mesh.vertices[:, 2] > np.median(solid.mesh.vertices[:, 2])]
    assert abs(float(front[:, 1].min())) < 0.06
    assert len(solid.contacts) > 10


def test_both_wheels_touch_the_ground_each_at_its_depth() -> None:
    layer = wheels()
    solid = make_solid(layer, box_of(layer), CAMERA)
    left, right = (solid.contacts[:, 0] < 150), (solid.contacts[:, 0] >= 150)
    assert left.any()
    assert right.any()
    vertices = solid.mesh.vertices
    for side in (vertices[:, 0] < 0, vertices[:, 0] >= 0):
        lowest = vertices[side][vertices[side][:, 1].argmin()]
        assert abs(float(lowest[1])) < 0.06, "neither floats nor sinks"
    far = vertices[vertices[:, 0] > 0.2][:, 2].mean()
    near = vertices[vertices[:, 0] < -0.2][:, 2].mean()
    assert far < near - 0.03


@pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 1), (2, 300), (200, 3)])
def test_any_shape_can_be_blown_up(shape: tuple[int, int]) -> None:
    layer = layer_of(np.ones(shape))
    solid = make_solid(layer, box_of(layer), CAMERA)
    assert np.isfinite(solid.mesh.vertices).all()


def test_a_leaf_that_hangs_down_far_above_does_not_stand() -> None:
    mask = np.zeros((60, 60), np.bool_)
    mask[10:58, 25:35] = True
    mask[10:14, 5:55] = True
    mask[10:30, 5:9] = True
    rows, _ = np.nonzero(contact_cells(mask))
    assert set(rows.tolist()) == {57}


def test_a_look_tells_the_lit_side() -> None:
    assert look_at(jar()).lit_from == -1
    assert look_at(np.ascontiguousarray(jar()[:, ::-1])).lit_from == 1
    flat = layer_of(np.ones((60, 40)))
    assert look_at(flat).lit_from == 0


def test_a_look_tells_from_how_far_above() -> None:
    """A round foot shows as an ellipse: its height over its width is the sine of the angle."""

    def cup(pitch: float) -> Light:
        width, height = 120, 160
        down, across = np.mgrid[:height, :width].astype(float)
        aside = (across - (width - 1) / 2) / (width / 2)
        rise = np.sin(pitch) * width / 2 * (1 - np.sqrt(np.clip(1 - aside**2, 0, 1)))
        return layer_of(down <= height - 1 - rise)

    level, above = look_at(cup(0.1)).pitch, look_at(cup(0.35)).pitch
    assert level == pytest.approx(0.1, abs=0.06)
    assert above == pytest.approx(0.35, abs=0.09)
    assert PITCHES[0] <= level < above <= PITCHES[1]


def test_a_surface_between_contacts_has_settled() -> None:
    """Far from every contact as well: compared with the solution of the equations as a whole."""
    mask = np.ones((60, 90), np.bool_)
    mask[15:50, 8:82] = False  # a table: what is between its legs is far around
    fixed, values = np.zeros_like(mask), np.zeros(mask.shape)
    fixed[-1, [0, 1, 2, 3, 4, 87]], values[-1, [0, 1, 2, 3, 4, 87]] = True, (-1, -1, -1, -1, -1, 2)
    cells = np.argwhere(mask)
    number = np.full((62, 92), -1)
    number[1:-1, 1:-1][mask] = np.arange(len(cells))
    equations, known = np.zeros((len(cells), len(cells))), values[mask]
    for place, (row, column) in enumerate(cells):
        beside = [
            number[row, column + 1],
            number[row + 2, column + 1],
            number[row + 1, column],
            number[row + 1, column + 2],
        ]
        there = [other for other in beside if other >= 0]
        if fixed[row, column]:
            equations[place, place] = 1
        else:
            equations[place, place], equations[place, there] = len(there), -1
    exact = np.linalg.solve(equations, known)
    assert np.abs(_membrane(mask, fixed, values)[mask] - exact).max() < 0.05 * np.ptp(exact)
