"""Panoramas: real places as light from all around, and as the out-of-focus background behind a set."""

import math
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.generation.engines.set.description import LightDescription, PanoramaDescription, SetDescription
from services.generation.engines.set.matter import linear

Light = NDArray[np.float32]

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
BRIGHTEST = 30.0
"""Light of a pixel of the background at most: a sun must not become a white disc over half the picture."""
GREYED = 60.0
"""Light above which a panorama's colour is taken for that of a clipped sun, which has none."""
WHITE = np.array([1.06, 1, 0.9], np.float32)
"""Colour that a clipped sun is given."""
REFLECTANCE = 0.35
"""Of the matter that is to look as bright as the place behind it."""
GRID = (256, 512)
"""Rows and columns of surroundings."""
SUFFIXES = (".exr", ".hdr")


def find_panorama(name: str, folders: tuple[Path, ...]) -> Path | None:
    """Return the file of a panorama, or None if none of the folders has it."""
    return next((file for folder in folders for end in SUFFIXES if (file := folder / (name + end)).is_file()), None)


@lru_cache(maxsize=4)
def read_panorama(file: Path) -> Light:
    """Read a panorama: (H, 2H, 3), linear."""
    import mitsuba

    picture = mitsuba.Bitmap(str(file)).convert(
        mitsuba.Bitmap.PixelFormat.RGB, mitsuba.Struct.Type.Float32, srgb_gamma=False
    )
    # Files that were compressed with loss hold small negative values.
    return np.asarray(np.maximum(np.nan_to_num(np.array(picture)), 0), np.float32)


def backplate(panorama: Light, seen: PanoramaDescription, width: int, height: int, blur: float | None = None) -> Light:
    """Return the view into a panorama, out of focus: (height, width, 3).

    A lens draws each point out of focus as a disc, brighter at its rim. Drawn in light, not in sRGB, lamps become discs
    as in photographs.

    Args:
        panorama: (H, 2H, 3).
        seen: Direction, angle of view and blur.
        width: Width of the picture in pixels.
        height: Height.
        blur: Radius of the discs as a fraction of the longer side; None: as the description says.
    """
    longer = max(width, height)
    focal = longer / 2 / math.tan(math.radians(seen.view) / 2)
    x, y = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    view = np.stack([x / focal, y / focal, -np.ones_like(x)], -1)
    view = view @ _turned_up(seen.pitch) @ _turned(seen.yaw)
    view /= np.linalg.norm(view, axis=-1, keepdims=True)
    rows, columns = panorama.shape[:2]
    across = (np.arctan2(view[..., 0], -view[..., 2]) / (2 * math.pi)) % 1 * columns - 0.5
    down = np.arccos(np.clip(view[..., 1], -1, 1)) / math.pi * rows - 0.5
    around = np.concatenate([panorama[:, -2:], panorama, panorama[:, :2]], 1)
    plate = cv2.remap(
        np.minimum(around, BRIGHTEST),
        (across + 2).astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REFLECT,
    )
    radius = (seen.blur if blur is None else blur) * longer
    return np.asarray(_out_of_focus(np.maximum(plate, 0), radius), np.float32)


def _out_of_focus(plate: Light, radius: float) -> Light:
    if radius < 0.7:
        return plate
    reach = math.ceil(radius)
    down, across = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.hypot(across, down)
    disc = np.clip(radius + 0.5 - away, 0, 1) * (1 + 0.35 * (away / radius) ** 4)
    return np.asarray(
        cv2.filter2D(plate, -1, (disc / disc.sum()).astype(np.float32), borderType=cv2.BORDER_REFLECT), np.float32
    )


def _turned_up(pitch: float) -> NDArray[np.float64]:
    sine, cosine = math.sin(math.radians(pitch)), math.cos(math.radians(pitch))
    return np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])


def _turned(yaw: float) -> NDArray[np.float64]:
    sine, cosine = math.sin(math.radians(yaw)), math.cos(math.radians(yaw))
    return np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])


def surroundings(photo_set: SetDescription, panorama: Light | None) -> Light:
    """Return the light that falls on a set from all around, the camera looking at its first column.

    Args:
        photo_set: The set.
        panorama: The panorama of the set, if it has one.

    Returns:
        (256, 512, 3), whatever the size of the panorama: see trace.py.
    """
    if panorama is not None and photo_set.panorama is not None:
        around = _as_light(panorama, photo_set.panorama)
        turn = round(photo_set.panorama.yaw / 360 * around.shape[1])
        turned = np.roll(around, -turn, axis=1)
        around = np.asarray(cv2.resize(turned, GRID[::-1], interpolation=cv2.INTER_AREA), np.float32)
    else:
        around = np.tile(np.array(linear(photo_set.ambient), np.float32), (*GRID, 1))
        # Rooms are darker below.
        fall = np.linspace(1.25, 0.55, GRID[0], dtype=np.float32)[:, None, None]
        around = around * fall
    for light in photo_set.lights:
        around = around + _lamp(light, around.shape[0], float(_irradiance(around) @ LUMINANCE))
    return np.ascontiguousarray(around, np.float32)


def _as_light(panorama: Light, seen: PanoramaDescription) -> Light:
    """Return a panorama as light: its cast partly neutralised, as bright as the place that shows behind asks for."""
    grey = (panorama @ LUMINANCE)[..., None]
    around = np.where(panorama.max(-1, keepdims=True) > GREYED, grey * WHITE, panorama)
    falling = _irradiance(around)
    luminance = float(falling @ LUMINANCE)
    balance = (luminance / np.maximum(falling, 1e-6)) ** seen.neutral
    small = backplate(panorama, seen, 96, 96, blur=0)
    behind = float(np.exp(np.log(small @ LUMINANCE + 1e-3).mean()))
    return np.asarray(around * balance * (behind * math.pi / (REFLECTANCE * luminance * seen.dim)), np.float32)


def _irradiance(around: Light) -> NDArray[np.float64]:
    """Return the light that falls on level ground, by channel."""
    rows, columns = around.shape[:2]
    down = (np.arange(rows) + 0.5) / rows * math.pi
    weight = np.where(down < math.pi / 2, np.cos(down) * np.sin(down), 0) * (math.pi / rows) * (2 * math.pi / columns)
    return np.asarray((around * weight[:, None, None]).sum((0, 1)), np.float64)


def _lamp(light: LightDescription, rows: int, level: float) -> Light:
    """Return a lamp with soft edges, as light from its part of the surroundings."""
    down, across = np.mgrid[:rows, : 2 * rows]
    elevation = 90 - (down + 0.5) / rows * 180
    azimuth = 180 - (across + 0.5) / (2 * rows) * 360
    away = (azimuth - light.azimuth) % 360
    aside = np.minimum(away, 360 - away) * np.cos(np.radians(light.elevation))
    pixel = 180 / rows
    width, height = max(light.width, 2 * pixel) / 2, max(light.height, 2 * pixel) / 2
    soft = max(pixel, 0.12 * min(width, height))
    inside = np.clip((width - aside) / soft + 0.5, 0, 1) * np.clip(
        (height - np.abs(elevation - light.elevation)) / soft + 0.5, 0, 1
    )
    area = (inside * np.cos(np.radians(elevation))).sum() * math.radians(pixel) ** 2
    return np.asarray(inside[..., None] * np.array(linear(light.colour)) * (light.power * level / area), np.float32)


def main_light(around: Light) -> tuple[float, NDArray[np.float64]]:
    """Return how much of the light comes from one direction, 0 to 1, and that direction as (right, up, towards)."""
    rows, columns = around.shape[:2]
    down = (np.arange(rows) + 0.5) / rows * math.pi
    across = (np.arange(columns) + 0.5) / columns * 2 * math.pi
    weight = (around @ LUMINANCE) * np.sin(down)[:, None] * (down < math.pi / 2)[:, None]
    towards = np.stack(
        [
            np.sin(down)[:, None] * np.sin(across)[None],
            np.broadcast_to(np.cos(down)[:, None], (rows, columns)),
            np.sin(down)[:, None] * -np.cos(across)[None],
        ],
        -1,
    )
    total = (weight[..., None] * towards).sum((0, 1))
    length = float(np.linalg.norm(total))
    return length / max(float(weight.sum()), 1e-6), total / max(length, 1e-6)
