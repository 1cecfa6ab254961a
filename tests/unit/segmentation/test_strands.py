"""The ground between the strands of a fringe is opened; stripes, letters and tables on few legs are left alone."""

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike

from common.imaging.codec import Pixels
from services.segmentation.cutout.strands import part_strands

SIDE = 640
BODY, HEM, END = 300, 330, 400
"""Rows where the cloth begins to hang, where its hem ends, and where its strands do."""
FAR_APART = {"red on sand": ((170, 40, 30), (198, 186, 170)), "violet on wood": ((84, 50, 150), (120, 78, 50))}


def ground(colour: tuple[int, int, int]) -> MatLike:
    """A ground that is darker where the cloth shades it."""
    y = np.mgrid[:SIDE, :SIDE][0] / SIDE
    shade = 1 - 0.3 * np.exp(-(((y - 0.58) / 0.07) ** 2))
    return np.asarray(np.array(colour, np.float32) * shade[..., None], np.float32)


def coverage(shapes: MatLike) -> MatLike:
    """Soft edges, as a lens makes them."""
    return cv2.GaussianBlur(shapes.astype(np.float32), (0, 0), 0.8)


def fringe() -> tuple[MatLike, MatLike, MatLike]:
    """Coverage of the strands, of the hem above them, and of the cloth above that."""
    random = np.random.default_rng(5)
    strands = np.zeros((SIDE, SIDE), np.uint8)
    for x in range(190, 452, 9):
        bend, end = random.integers(-9, 10, 2)
        points = np.array([(x, HEM - 2), (x + bend, (HEM + END) // 2), (x + end, END - random.integers(0, 16))])
        cv2.polylines(strands, [points], False, 1, 2)
    hem, cloth = np.zeros_like(strands), np.zeros_like(strands)
    hem[BODY:HEM, 186:456] = 1
    cloth[150:BODY, 186:456] = 1
    return coverage(strands), coverage(hem), coverage(cloth)


def photographed(behind: MatLike, layers: list[tuple[MatLike, tuple[int, int, int]]]) -> Pixels:
    for share, colour in layers:
        behind = behind * (1 - share[..., None]) + share[..., None] * np.array(colour, np.float32)
    noise = np.random.default_rng(1).normal(0, 1.5, behind.shape)
    return np.asarray(np.clip(behind + noise, 0, 255), np.uint8)


def filled(shapes: MatLike) -> MatLike:
    """A mask as the search gives it: gaps are filled."""
    closed = cv2.morphologyEx((shapes > 0.5).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    return closed.astype(np.float32)


@pytest.mark.parametrize("scale", [1.0, 1.5])
@pytest.mark.parametrize("colours", FAR_APART.values(), ids=FAR_APART)
def test_between_strands_the_ground_is_opened(
    colours: tuple[tuple[int, int, int], tuple[int, int, int]], scale: float
) -> None:
    own, behind = colours
    strands, hem, cloth = fringe()
    photo = photographed(ground(behind), [(strands, own), (hem, own), (cloth, (230, 226, 220))])
    truth = np.maximum.reduce([strands, hem, cloth])
    mask = filled(truth)
    truth, mask = (cv2.resize(plane, None, fx=scale, fy=scale) for plane in (truth, mask))
    alpha = part_strands(np.asarray(cv2.resize(photo, None, fx=scale, fy=scale), np.uint8), mask)
    within = (mask > 0.5) & (np.mgrid[: len(mask), : len(mask)][0] > HEM * scale)
    parts = cv2.connectedComponents((alpha > 0.1).astype(np.uint8))[0] - 1
    assert parts == 1, "no specks: all hangs together"
    gaps, solid = within & (truth < 0.05), within & (truth > 0.95)
    assert mask[gaps].mean() > 0.95, "they are filled before"
    assert alpha[gaps].mean() < 0.1
    assert alpha[solid].mean() > 0.85
    above = np.mgrid[: len(mask), : len(mask)][0] < (BODY - 2) * scale
    assert np.array_equal(alpha[above], mask[above]), "what is no fringe is as it was"


def test_stripes_on_cloth_of_the_grounds_colour_stay() -> None:
    """A white shirt with thin stripes, before a white wall: its gaps are as white, but its hem has no such colour."""
    body = np.zeros((SIDE, SIDE), np.uint8)
    body[150:480, 180:460] = 1
    stripes = np.zeros_like(body)
    for x in range(184, 460, 9):
        cv2.line(stripes, (x, 150), (x, 480), 1, 2)
    white = (226, 226, 226)
    photo = photographed(ground(white), [(coverage(body), white), (coverage(stripes), (40, 50, 110))])
    mask = filled(coverage(body))
    assert np.array_equal(part_strands(photo, mask), mask)


def test_letters_on_a_label_stay() -> None:
    bottle, label = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    bottle[100:540, 220:420] = 1
    label[220:420, 220:420] = 1
    text = np.zeros_like(bottle)
    for row in range(250, 410, 24):
        cv2.putText(text, "MOUNTAIN SPRING", (232, row), cv2.FONT_HERSHEY_SIMPLEX, 0.65, 1, 2)
    wall, glass = (215, 212, 205), (40, 80, 60)
    layers = [(coverage(bottle), glass), (coverage(label), wall), (coverage(text), glass)]
    mask = filled(coverage(bottle))
    assert np.array_equal(part_strands(photographed(ground(wall), layers), mask), mask)


def test_a_few_legs_are_no_fringe() -> None:
    legs, top = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for x in (200, 212, 430, 442):
        cv2.line(legs, (x, 300), (x, 470), 1, 2)
    top[270:300, 186:456] = 1
    own = (150, 60, 40)
    photo = photographed(ground((198, 186, 170)), [(coverage(legs), own), (coverage(top), own)])
    mask = filled(np.maximum(coverage(legs), coverage(top)))
    assert np.array_equal(part_strands(photo, mask), mask)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_a_ground_or_a_product_nothing_is_done(value: float) -> None:
    photo, alpha = np.full((40, 60, 3), 90, np.uint8), np.full((40, 60), value, np.float32)
    assert np.array_equal(part_strands(photo, alpha), alpha)
