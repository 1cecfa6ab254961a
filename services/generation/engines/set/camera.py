"""The camera of a set: a long lens that looks down a little, at the pixels of one ad.

World: x to the right, y up, z towards the viewer. The ground on which the product stands is y = 0, and the middle of
its foot is near the origin. The shorter side of the ad spans two units there.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

DISTANCE = 7.0
"""From the lens to the product, in units: portraits and products are taken from afar, which keeps lines upright."""


@dataclass(frozen=True)
class Camera:
    """A camera.

    Attributes:
        width: Width of the picture in pixels.
        height: Height in pixels.
        foot: Row of the picture at which the ground's point below the product's middle shows, in pixels from the top.
        pitch: Angle by which it looks down, in radians.
    """

    width: int
    height: int
    foot: float
    pitch: float

    @property
    def unit(self) -> float:
        """Pixels of one unit at the product."""
        return min(self.width, self.height) / 2

    @property
    def target(self) -> Points:
        """Point in the middle of the picture, (3,)."""
        return np.array([0, (self.foot - self.height / 2) / self.unit / math.cos(self.pitch), 0])

    @property
    def origin(self) -> Points:
        """Where the lens is, (3,)."""
        return self.target + DISTANCE * np.array([0, math.sin(self.pitch), math.cos(self.pitch)])

    @property
    def field_of_view(self) -> float:
        """Along the shorter side, in degrees."""
        return math.degrees(2 * math.atan(1 / DISTANCE))

    def rays(self, columns: Points, rows: Points) -> Points:
        """Return the direction through each pixel position, (..., 3), whose part along the view has length one."""
        right = (columns - self.width / 2) / self.unit / DISTANCE
        up = (self.height / 2 - rows) / self.unit / DISTANCE
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        return np.stack([right, up * cosine - sine, -up * sine - cosine], -1)

    def on_ground(self, columns: Points, rows: Points) -> Points:
        """Return the points of the ground that show at pixel positions below the horizon, (..., 3)."""
        rays = self.rays(columns, rows)
        return np.asarray(self.origin + rays * (-self.origin[1] / np.minimum(rays[..., 1], -1e-6))[..., None])

    def at_depth(self, columns: Points, rows: Points, depth: Points) -> Points:
        """Return the points that show at pixel positions, at a depth z, (..., 3)."""
        rays = self.rays(columns, rows)
        return np.asarray(self.origin + rays * ((depth - self.origin[2]) / rays[..., 2])[..., None])

    def misses(self, points: Points) -> bool:
        """Return whether all of some points, (N, 3), are beyond one edge of the picture, or behind the lens."""
        sine, cosine = math.sin(self.pitch), math.cos(self.pitch)
        away = points - self.origin
        right, up, ahead = away[:, 0], away @ [0, cosine, -sine], away @ [0, -sine, -cosine]
        wide, high = (side / 2 / self.unit / DISTANCE * ahead for side in (self.width, self.height))
        return any(bool((beyond > 0).all()) for beyond in (right - wide, -right - wide, up - high, -up - high, -ahead))
