"""Seeded weights, identical with and without TensorFlow."""

import zlib

import numpy as np
from numpy.typing import NDArray

GAIN = 4.5
"""Large enough for output as varied as photos; with more, rounding grows between layers as in no trained network."""


def seeded(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return a kernel (out, in, height, width) or a bias (out,), seeded by its name."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    spread = (GAIN / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.05
    return np.asarray(random.normal(0, spread, shape), np.float32)
