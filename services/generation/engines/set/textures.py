"""Procedural wood and stone textures."""

import numpy as np

from services.generation.engines.set.solids import Plane, Points, Texture


def wood(rng: np.random.Generator) -> Texture:
    """Return planks that run across the picture, with grain along them."""
    start, plank = rng.uniform(0, 50), 0.42

    def texture(p: Points) -> Plane:
        x, z = p[0], p[2] + 0.6 * p[1] + start
        board = np.floor(z / plank)
        tone = 0.07 * np.sin(12.9 * board)
        bent = z + 0.03 * np.sin(1.7 * x + 5 * board) + 0.012 * np.sin(5.3 * x + 3 * board)
        grain = 0.06 * np.sin(75 * bent) + 0.045 * np.sin(131 * bent + 2 * x) + 0.03 * np.sin(290 * bent)
        joint = 0.25 * np.exp(-((np.abs((z / plank) % 1 - 0.5) - 0.5) ** 2) / 0.0002)
        return np.asarray(0.97 + tone + grain - joint)

    return texture


def marble(rng: np.random.Generator) -> Texture:
    """Return pale stone with soft veins."""
    start = rng.uniform(0, 50)

    def texture(p: Points) -> Plane:
        x, z = 1.7 * p[0] + start, 1.7 * p[2] + 0.9 * p[1]
        bent = x + 0.8 * np.sin(1.1 * z + 0.6 * x) + 0.35 * np.sin(3.7 * z - 1.9 * x) + 0.15 * np.sin(8.3 * x + 5.1 * z)
        vein = np.exp(-(np.sin(1.9 * bent) ** 2) / 0.012) + 0.5 * np.exp(-(np.sin(3.1 * bent + z) ** 2) / 0.008)
        cloud = np.sin(2.2 * x + 1.3 * z) * np.sin(1.7 * z - 0.8 * x)
        return np.asarray(1 - 0.14 * vein + 0.03 * cloud)

    return texture


def rough(rng: np.random.Generator) -> Texture:
    """Return rough stone, as from a river."""
    start = rng.uniform(0, 50)

    def texture(p: Points) -> Plane:
        x, y, z = 3 * p + start
        spots = np.sin(9 * x + 3 * np.sin(5 * z)) * np.sin(11 * z + 2 * np.sin(7 * y)) * np.sin(13 * y + 4 * x)
        layers = np.sin(14 * y + 2 * np.sin(2 * x) + np.sin(3 * z))
        return np.asarray(0.97 + 0.07 * spots + 0.05 * layers)

    return texture
