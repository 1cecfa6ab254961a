"""Synthetic pictures for tests."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

SAMPLE = Path(__file__).parents[1] / "gateway" / "web" / "sample.jpg"


def gradient(width: int, height: int) -> Pixels:
    """Return (height, width, 3) in which every pixel differs from its neighbours."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x * 7 % 256, y * 5 % 256, (x + y) * 3 % 256], axis=-1).astype(np.uint8)


def texture(width: int, height: int, seed: int = 0) -> Pixels:
    """Return uniform noise, (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def ball(width: int, height: int, *, colour: tuple[int, int, int] = (200, 30, 40)) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return a photo of a shaded ball on a plain ground, (height, width, 3), and its true mask."""
    y, x = np.mgrid[:height, :width]
    radius = 0.32 * min(width, height)
    across, down = (x - width / 2) / radius, (y - height / 2) / radius
    inside = across**2 + down**2 < 1
    shade = np.clip(1.1 - 0.5 * ((across + 0.4) ** 2 + (down + 0.4) ** 2), 0.25, 1.1)
    ground = 205 + 25 * (y / height)
    photo = np.repeat(ground[..., None], 3, axis=2)
    photo[inside] = (shade[..., None] * np.array(colour))[inside]
    return np.clip(photo, 0, 255).astype(np.uint8), inside


def table_with_ball(seed: int, *, is_there: bool = True) -> tuple[Pixels, tuple[int, int]]:
    """Return a table before a wall, (400, 500, 3), with a ball on it or not, and where the ball stands."""
    rng = np.random.default_rng(seed)
    wall, top = rng.integers(150, 225, 3), rng.integers(90, 150, 3)
    y, x = np.mgrid[:400, :500]
    room = np.where((y < 240)[..., None], wall + (y[..., None] - 120) * 0.08, top + (x[..., None] - 250) * 0.06)
    middle, foot, radius = int(rng.integers(200, 300)), 330, 62
    if is_there:
        shadow = np.exp(-(((x - middle - 25) / 75) ** 2 + ((y - foot + 4) / 14) ** 2))
        room = room * (1 - 0.5 * shadow[..., None])
        across, down = (x - middle) / radius, (y - foot + radius) / radius
        inside = across**2 + down**2 < 1
        shade = np.clip(1.1 - 0.4 * ((across + 0.4) ** 2 + (down + 0.4) ** 2), 0.3, 1.1)
        room = np.where(inside[..., None], shade[..., None] * np.array([205, 40, 50]), room)
    grain = rng.normal(0, 2, (400, 500, 1))
    return np.clip(room + grain, 0, 255).astype(np.uint8), (middle, foot)


def disc_cutout(size: int, *, colour: tuple[int, int, int] = (220, 20, 30)) -> Pixels:
    """Return a cutout, (size, size, 4): a disc of one colour with a soft edge; transparent pixels are green."""
    y, x = np.mgrid[:size, :size]
    distance = np.hypot(x - (size - 1) / 2, y - (size - 1) / 2)
    alpha = np.clip((0.4 * size - distance) / 2 + 0.5, 0, 1)
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., :3] = np.where((alpha > 0)[..., None], colour, (0, 255, 0))
    pixels[..., 3] = np.round(alpha * 255)
    return pixels


def encoded(pixels: Pixels, file_format: str = "PNG", **options: object) -> bytes:
    """Encode the picture with Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, file_format, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> Pixels:
    """Decode the file with Pillow."""
    return np.asarray(Image.open(io.BytesIO(data)))


def cut_ball(side: int = 640) -> bytes:
    """Return a photo that is cut out already, a PNG file: a shaded ball before nothing."""
    photo, inside = ball(side, side)
    return encoded(np.dstack([photo, np.where(inside, 255, 0).astype(np.uint8)]))
