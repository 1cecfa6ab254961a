"""Seamless noise, from which matter is made."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

SIDE = 1024
"""Sides of the maps of a matter, in pixels."""


def noise(rng: np.random.Generator, fall: float, lowest: float = 1.0, across: float = 1.0, down: float = 1.0) -> Plane:
    """Return noise that tiles, (SIDE, SIDE), with mean 0 and variance 1.

    Args:
        rng: Source of the noise.
        fall: Amplitude falls with frequency to this power: 0 is grain, 1 to 2 clouds.
        lowest: Lowest frequency, in waves per side.
        across: Stretch along the rows: 8 makes streaks along them.
        down: Stretch along the columns.
    """
    frequency = np.hypot(np.fft.rfftfreq(SIDE, 1 / SIDE)[None] * across, np.fft.fftfreq(SIDE, 1 / SIDE)[:, None] * down)
    frequency = frequency.astype(np.float32)
    strength = np.where(frequency >= lowest, np.maximum(frequency, 1) ** np.float32(-fall - 0.5), 0)
    phases = 2 * np.pi * rng.random(strength.shape, np.float32)
    spectrum = np.empty(strength.shape, np.complex64)
    spectrum.real, spectrum.imag = strength * np.cos(phases), strength * np.sin(phases)
    wave = np.fft.irfft2(spectrum, (SIDE, SIDE))
    return np.asarray(wave / wave.std(), np.float32)


def spots(rng: np.random.Generator, share: float, size: float, stretch: float = 1.0) -> Plane:
    """Return soft spots at random places that tile, (SIDE, SIDE), 0 to 1.

    Args:
        rng: Source of the places.
        share: Spots per pixel.
        size: Radius in pixels.
        stretch: Length along the rows over the height.
    """
    points = (rng.random((SIDE, SIDE)) < share).astype(np.float32)
    edge = int(4 * size * stretch) + 1
    wide = cv2.copyMakeBorder(points, edge, edge, edge, edge, cv2.BORDER_WRAP)
    soft = cv2.GaussianBlur(wide, (0, 0), sigmaX=size * stretch, sigmaY=size)[edge:-edge, edge:-edge]
    return np.asarray(np.clip(soft * (2 * np.pi * size * size * stretch), 0, 1), np.float32)


def warped(plane: Plane, right: Plane, down: Plane) -> Plane:
    """Return a plane that tiles, moved by so many pixels at each place."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    moved = cv2.remap(
        plane, (columns + right) % SIDE, (rows + down) % SIDE, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    return np.asarray(moved, np.float32)
