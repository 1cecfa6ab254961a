"""Colours of words: what can be read on a picture (WCAG 2.2, contrast of relative luminances)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.generation.message.message import Colour
from services.generation.srgb import Light, to_linear_colour

WHITE: Colour = (255, 255, 255)
INK: Colour = (20, 20, 22)
BLACK: Colour = (0, 0, 0)
CONTRAST = 4.5
"""Least contrast of words."""
AIM = 4.9
"""Contrast that a scrim is made for: compression takes some."""
WORST = 0.01
"""Part of the pixels behind words, at either end of brightness, that is passed over."""
_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class Reading:
    """How words are made legible on a picture.

    Attributes:
        colour: Colour of the words.
        scrim: Opacity of the scrim below them, 0 to 1.
        veil: Linear colour of the scrim.
    """

    colour: Colour
    scrim: float
    veil: tuple[float, float, float]


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour, 0 to 1."""
    red, green, blue = to_linear_colour((colour[0] / 255, colour[1] / 255, colour[2] / 255))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def luminances(light: Light) -> Light:
    """Return the relative luminance of linear light, (H, W, 3) to (H, W)."""
    return np.asarray(light @ _WEIGHTS)


def contrast(one: float, other: float) -> float:
    """Return the contrast of two luminances, 1 to 21."""
    lighter, darker = max(one, other), min(one, other)
    return (lighter + 0.05) / (darker + 0.05)


def label_on(fill: Colour) -> Colour:
    """Return the colour of words on a filled shape."""
    behind = luminance(fill)
    if contrast(luminance(WHITE), behind) >= CONTRAST:
        return WHITE
    return INK if contrast(luminance(INK), behind) >= CONTRAST else BLACK


def reading_on(parts: Sequence[Light]) -> Reading:
    """Choose the colour of words that stand on some parts of a picture: the one that needs less of a scrim.

    Args:
        parts: The parts, (h, w, 3) each, linear.
    """
    shades = [luminances(part) for part in parts]
    dark = min(float(np.quantile(shade, WORST)) for shade in shades)
    bright = max(float(np.quantile(shade, 1 - WORST)) for shade in shades)
    ink, veil = luminance(INK), 0.92
    most = 1.05 / AIM - 0.05  # luminance on which white can be read
    for_white = max(0.0, 1 - most / bright) if bright > most else 0.0
    least = AIM * (ink + 0.05) - 0.05  # luminance on which ink can be read
    for_ink = max(0.0, (least - dark) / (veil - dark)) if dark < least else 0.0
    usual = float(np.median(np.concatenate([shade.ravel() for shade in shades])))
    prefers_white = contrast(1.0, usual) >= contrast(ink, usual)
    if for_white < for_ink or (for_white == for_ink and prefers_white):
        return Reading(WHITE, for_white, (0.0, 0.0, 0.0))
    return Reading(INK, for_ink, (veil, veil, veil))


def least_contrast(colour: Colour, behind: Light) -> float:
    """Return the contrast of a colour with a part of a picture, but for its darkest and its brightest hundredth."""
    dark, bright = (float(value) for value in np.quantile(luminances(behind), (WORST, 1 - WORST)))
    return min(contrast(luminance(colour), dark), contrast(luminance(colour), bright))
