"""Rendered products with known alpha, and grounds to photograph them on: ground truth for cutouts."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Plane = NDArray[np.float32]

OVERSAMPLED = 4
"""Supersampling factor of the shapes; scaling down gives soft edges."""


@dataclass(frozen=True)
class Product:
    """Colours (H, W, 3), 0 to 255, and alpha (H, W), 0 to 1."""

    colours: Plane
    alpha: Plane


class Canvas:
    """A mask to draw shapes into; coordinates are fractions of its side."""

    def __init__(self, side: int) -> None:
        self.side = side
        self._mask = np.zeros((side * OVERSAMPLED, side * OVERSAMPLED), np.uint8)

    def _points(self, *values: float) -> list[int]:
        return [round(value * len(self._mask)) for value in values]

    def ellipse(self, x: float, y: float, across: float, down: float, *, hole: bool = False) -> "Canvas":
        cx, cy, rx, ry = self._points(x, y, across, down)
        cv2.ellipse(self._mask, (cx, cy), (rx, ry), 0, 0, 360, 0 if hole else 255, cv2.FILLED)
        return self

    def box(self, left: float, top: float, right: float, bottom: float, *, hole: bool = False) -> "Canvas":
        x0, y0, x1, y1 = self._points(left, top, right, bottom)
        cv2.rectangle(self._mask, (x0, y0), (x1, y1), 0 if hole else 255, cv2.FILLED)
        return self

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float) -> "Canvas":
        a, b, c, d = self._points(x0, y0, x1, y1)
        cv2.line(self._mask, (a, b), (c, d), 255, max(1, round(width * len(self._mask))))
        return self

    def alpha(self) -> Plane:
        small = cv2.resize(self._mask, (self.side, self.side), interpolation=cv2.INTER_AREA)
        return np.asarray(small / 255, np.float32)


def shaded(alpha: Plane, colour: tuple[int, int, int]) -> Product:
    """Colour a shape, lit from the upper left."""
    y, x = np.mgrid[: alpha.shape[0], : alpha.shape[1]] / len(alpha)
    light = 1.15 - 0.25 * x - 0.25 * y + 0.05 * np.sin(40 * x)
    return Product(np.clip(light[..., None] * np.array(colour), 0, 255).astype(np.float32), alpha)


def mug(side: int) -> Product:
    """Return a mug; its handle has a hole."""
    canvas = Canvas(side).ellipse(0.68, 0.5, 0.16, 0.17).ellipse(0.68, 0.5, 0.1, 0.11, hole=True)
    return shaded(canvas.box(0.28, 0.28, 0.64, 0.76).ellipse(0.46, 0.76, 0.18, 0.05).alpha(), (190, 40, 50))


def ring(side: int) -> Product:
    """Return a ring."""
    return shaded(
        Canvas(side).ellipse(0.5, 0.5, 0.3, 0.3).ellipse(0.5, 0.5, 0.21, 0.21, hole=True).alpha(), (200, 150, 40)
    )


def chair(side: int) -> Product:
    """Return a chair with thin legs and gaps between them."""
    canvas = Canvas(side).box(0.3, 0.48, 0.7, 0.54).box(0.3, 0.18, 0.34, 0.5).box(0.3, 0.18, 0.5, 0.24)
    for x in (0.32, 0.44, 0.56, 0.68):
        canvas.line(x, 0.52, x, 0.86, 0.022)
    return shaded(canvas.alpha(), (120, 70, 30))


def lamp(side: int) -> Product:
    """Return a lamp with a thin arm between shade and foot."""
    canvas = (
        Canvas(side)
        .ellipse(0.42, 0.84, 0.14, 0.035)
        .line(0.42, 0.83, 0.42, 0.4, 0.014)
        .line(0.42, 0.4, 0.6, 0.26, 0.014)
    )
    return shaded(canvas.ellipse(0.64, 0.26, 0.13, 0.1).alpha(), (30, 90, 150))


def bottle(side: int, colour: tuple[int, int, int] = (30, 110, 60)) -> Product:
    """Return a bottle."""
    canvas = Canvas(side).box(0.4, 0.4, 0.6, 0.85).ellipse(0.5, 0.4, 0.1, 0.09).box(0.46, 0.16, 0.54, 0.4)
    return shaded(canvas.alpha(), colour)


def labelled(side: int) -> Product:
    """Return a bottle with a label as white as studio paper."""
    product = bottle(side)
    label = Canvas(side).box(0.43, 0.5, 0.57, 0.72).alpha()[..., None]
    return Product(product.colours * (1 - label) + 240 * label, product.alpha)


def plush(side: int) -> Product:
    """Return a plush ball with hairs all around."""
    random = np.random.default_rng(0)
    canvas = Canvas(side).ellipse(0.5, 0.5, 0.24, 0.24)
    for angle in random.uniform(0, 2 * np.pi, 500):
        reach, turn = random.uniform(0.25, 0.31), angle + random.uniform(-0.08, 0.08)
        start, end = 0.22 * np.array([np.cos(angle), np.sin(angle)]), reach * np.array([np.cos(turn), np.sin(turn)])
        canvas.line(0.5 + start[0], 0.5 + start[1], 0.5 + end[0], 0.5 + end[1], 0.003)
    return shaded(canvas.alpha(), (150, 90, 60))


def cut_off(side: int) -> Product:
    """Return a bottle cut off by the lower edge of the frame."""
    return shaded(Canvas(side).box(0.36, 0.4, 0.64, 1.0).ellipse(0.5, 0.4, 0.14, 0.1).alpha(), (40, 60, 150))


def two(side: int) -> Product:
    """Return two products of similar size, side by side."""
    canvas = Canvas(side).ellipse(0.28, 0.55, 0.15, 0.15).box(0.6, 0.38, 0.84, 0.72)
    return shaded(canvas.alpha(), (180, 50, 120))


def glass(side: int) -> tuple[Product, Plane]:
    """Return a transparent glass, and its outline as (H, W), 0 to 1."""

    def tumbler(inset: float) -> Plane:
        canvas = Canvas(side).box(0.35 + inset, 0.3, 0.65 - inset, 0.8 - inset)
        for y in (0.3, 0.8 - inset):
            canvas.ellipse(0.5, y, 0.15 - inset, 0.04 - inset / 3)
        return canvas.alpha()

    outline, inside = tumbler(0), tumbler(0.015)
    gleam = Canvas(side).box(0.4, 0.36, 0.42, 0.7).alpha()
    see_through = np.maximum(0.6 * (outline - inside) + 0.12 * inside, 0.7 * gleam)
    colours = np.where(gleam[..., None] > 0, 255, np.array([120, 140, 150]))
    return Product(colours.astype(np.float32), np.clip(see_through, 0, 1).astype(np.float32)), outline


def with_shadow(ground: Plane) -> Plane:
    """Darken a ground with the shadow of a product, at its foot and to the right."""
    side = len(ground)
    y, x = np.mgrid[:side, :side] / side
    shadow = 0.5 * np.exp(-(((x - 0.6) / 0.2) ** 2) - ((y - 0.84) / 0.04) ** 2)
    return np.asarray(ground * (1 - shadow[..., None]), np.float32)


def plain(side: int, grey: int = 215) -> Plane:
    """Return studio paper: one colour with a little noise."""
    noise = np.random.default_rng(1).normal(0, 2, (side, side, 1))
    return np.clip(np.full((side, side, 3), grey) + noise, 0, 255).astype(np.float32)


def slope(side: int) -> Plane:
    """Return a ground that darkens towards one corner."""
    y, x = np.mgrid[:side, :side] / side
    return np.asarray(np.array([235, 230, 220]) - 90 * (x + y)[..., None] / 2, np.float32)


def photographic(side: int) -> Plane:
    """Return an out-of-focus room: large soft patches of many colours above a table."""
    random = np.random.default_rng(2)
    patches = cv2.resize(
        random.uniform(60, 230, (7, 7, 3)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    grain = cv2.GaussianBlur(random.normal(0, 14, (side, side, 1)).astype(np.float32), (0, 0), 1.2)[..., None]
    patches[side * 2 // 3 :] = np.array([150, 120, 90])
    return np.asarray(np.clip(cv2.GaussianBlur(patches, (0, 0), side / 60) + grain, 0, 255), np.float32)


def photographed(product: Product, ground: Plane) -> Pixels:
    """Composite a product over a ground."""
    share = product.alpha[..., None]
    return np.round(product.colours * share + ground * (1 - share)).astype(np.uint8)


PRODUCTS: dict[str, Callable[[int], Product]] = {
    "mug": mug,
    "ring": ring,
    "chair": chair,
    "lamp": lamp,
    "bottle": bottle,
    "labelled": labelled,
    "plush": plush,
    "cut off": cut_off,
    "two": two,
    "white on white": lambda side: bottle(side, (250, 250, 250)),
    "dark on dark": lambda side: bottle(side, (52, 50, 60)),
}
GROUNDS: dict[str, Callable[[int], Plane]] = {
    "plain": plain,
    "white": lambda side: plain(side, 240),
    "slope": slope,
    "photographic": photographic,
}
