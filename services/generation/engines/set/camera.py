"""The camera of a set."""

import math
from dataclasses import dataclass

import numpy as np

from services.generation.engines.set.solids import Points, Vector

DISTANCE = 7.0
"""Distance of the camera from the middle of the set, in units."""


@dataclass(frozen=True)
class Camera:
    """A camera that frames at least 2 by 2 units around the middle of the set.

    Attributes:
        width: Image width in pixels.
        height: Image height in pixels.
        pitch: Downward tilt, in radians.
        eye_height: Height of the point it looks at, in units.
    """

    width: int
    height: int
    pitch: float
    eye_height: float

    @property
    def unit(self) -> float:
        """Pixels per unit at the middle of the set."""
        return min(self.width, self.height) / 2

    @property
    def origin(self) -> Vector:
        """Position of the camera, in units."""
        return 0.0, self.eye_height + DISTANCE * math.sin(self.pitch), DISTANCE * math.cos(self.pitch)

    def rays(self, columns: Points, rows: Points) -> Points:
        """Return the unit directions, (3, n), through n image points, in pixels from the top left corner."""
        right = (columns - self.width / 2) / self.unit / DISTANCE
        up = (self.height / 2 - rows) / self.unit / DISTANCE
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        towards = np.stack([right, up * cosine - sine, -up * sine - cosine]).astype(np.float32)
        return np.asarray(towards / np.linalg.norm(towards, axis=0))

    def project(self, point: Vector) -> tuple[float, float]:
        """Project a point of the set to the image: x and y in pixels from the top left corner."""
        cosine, sine = math.cos(self.pitch), math.sin(self.pitch)
        x, y, z = (p - o for p, o in zip(point, self.origin, strict=True))
        up, depth = y * cosine - z * sine, -y * sine - z * cosine
        scale = self.unit * DISTANCE / depth
        return self.width / 2 + x * scale, self.height / 2 - up * scale
