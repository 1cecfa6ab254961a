"""What the pictures of the rooms show, and whether a product was placed well in one."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from common.imaging.codec import Mask, Pixels
from services.generation.geometry import Box
from testing.rooms.scenes import ROOMS, Room, View

PICTURES = Path(__file__).with_name("pictures")
SURFACE, THING = 1, 10
"""Labels: the surface on which a product belongs, and, with its number added, a thing. Anything else is 0."""
FOOT = 0.35
"""Half the width of a product's foot, as a fraction of its width."""
ON_SURFACE = 0.95
HIDDEN = 0.01
"""Part of the product's box in front of which a thing may be."""
COVERED = 0.35
"""Part of a thing that the product may hide."""
LARGEST_ERROR = 2.0
"""Size of the product over its true one, or the reverse, at most."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """Whether a product was placed well.

    Attributes:
        on_surface: It stands on the surface on which it belongs.
        is_clear: It hides no more than a part of things behind it, collides with none, and none stands before it.
        scale: Its size over the true one.
    """

    on_surface: bool
    is_clear: bool
    scale: float

    @property
    def in_scale(self) -> bool:
        """Whether it has about the true size."""
        return 1 / LARGEST_ERROR <= self.scale <= LARGEST_ERROR

    @property
    def is_good(self) -> bool:
        """Whether all is well."""
        return self.on_surface and self.is_clear and self.in_scale


def _read(file: Path) -> Pixels:
    with Image.open(file) as picture:
        return np.asarray(picture)


def picture_of(name: str) -> Pixels:
    """Return the picture of a room, (480, 640, 3)."""
    return _read(PICTURES / f"{name}.jpg")


def judge(name: str, box: Box, product: tuple[float, float], removed: Mask | None = None) -> Verdict:
    """Judge where a product was placed.

    Args:
        name: The room.
        box: Box of the product in its picture.
        product: Its width and height in metres.
        removed: What was removed for it.
    """
    room, labels = ROOMS[name](), _read(PICTURES / f"{name}.png")
    if removed is not None:
        labels = np.where(removed, SURFACE, labels)
    height, width = labels.shape
    middle, reach = (box.left + box.right) / 2, FOOT * box.width
    columns = np.linspace(middle - reach, middle + reach, 9).astype(int).clip(0, width - 1)
    row = min(box.bottom, height) - 2
    on_surface = float((labels[row, columns] == SURFACE).mean()) >= ON_SURFACE
    foot = on_ground(room.view, np.array([[middle, box.bottom]]), (width, height))[0]
    metres = metres_per_pixel(room.view, foot, width)
    scale = float(np.sqrt(box.width * box.height / (product[0] * product[1])) * metres)
    return Verdict(on_surface, _is_clear(room, labels, box, foot, box.width * metres / 2), scale)


def _is_clear(room: Room, labels: Pixels, box: Box, foot: Points, radius: float) -> bool:
    height, width = labels.shape
    seen = labels[box.top : box.bottom, box.left : box.right]
    for number in np.unique(seen[seen >= THING]):
        rows, columns = np.nonzero(labels == number)
        low = rows >= rows.max() - 3
        standing = on_ground(room.view, np.stack([columns[low], rows[low] + 1], -1), (width, height))
        is_before = standing[:, 2].max() > foot[2]
        collides = np.hypot(*(standing - foot)[:, [0, 2]].T).min() < 0.6 * radius
        share, covered = float((seen == number).mean()), float((seen == number).sum() / len(rows))
        if (is_before and share > HIDDEN) or collides or covered > COVERED:
            return False
    return True


def on_ground(view: View, pixels: Points, size: tuple[int, int]) -> Points:
    """Return the points of y = 0 that show at pixel positions, (N, 3)."""
    width, height = size
    focal = width / 2 / np.tan(np.radians(view.angle / 2))
    eye, at = np.array(view.eye), np.array(view.at)
    ahead = (at - eye) / np.linalg.norm(at - eye)
    right = np.cross(ahead, [0, 1, 0])
    right /= np.linalg.norm(right)
    up = np.cross(right, ahead)
    aside, down = (pixels[:, :1] - width / 2) / focal, (pixels[:, 1:] - height / 2) / focal
    rays = ahead + aside * right - down * up
    return np.asarray(eye - rays * (eye[1] / rays[:, 1:2]))


def metres_per_pixel(view: View, point: Points, width: int) -> float:
    """Return how much of a plane that faces the camera a pixel shows at a point."""
    eye, at = np.array(view.eye), np.array(view.at)
    ahead = (at - eye) / np.linalg.norm(at - eye)
    return float((point - eye) @ ahead / (width / 2 / np.tan(np.radians(view.angle / 2))))
