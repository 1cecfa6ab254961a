"""Colours for an audience: palettes by interest, with saturation by age and warmth by gender."""

import colorsys
from dataclasses import dataclass

from services.generation.audience import Audience
from services.generation.engines.set.solids import Colour
from services.generation.srgb import to_linear_colour


@dataclass(frozen=True)
class Palette:
    """Colours of a set, linear.

    Attributes:
        name: Name in prompts.
        wall: Colour of the wall.
        floor: Colour of the floor.
        podium: Colour of the product's stand.
        accents: Colours of props and frames.
        wood: Colour of wooden tables.
    """

    name: str
    wall: Colour
    floor: Colour
    podium: Colour
    accents: tuple[Colour, ...]
    wood: Colour


# name, wall, floor, podium, accents
_PALETTES: dict[str, tuple[tuple[str, str, str, str, tuple[str, ...]], ...]] = {
    "sports": (
        ("energetic coral and navy", "#e8795a", "#f0a283", "#f6efe6", ("#1f3a5f", "#f4c95d", "#f6efe6")),
        ("fresh teal and lime", "#3f9d96", "#69b8ad", "#eef4ec", ("#d6e264", "#12343b", "#f3f6ee")),
    ),
    "pets": (
        ("honey and cream", "#e9b872", "#f2cf9b", "#fbf3e4", ("#8c5a3c", "#f6e7cb", "#6a8d73")),
        ("soft sage and oat", "#a9bd9b", "#c6d3b6", "#f5efe0", ("#d98e5f", "#fbf3e4", "#5c7457")),
    ),
    "baby": (
        ("powder blue and vanilla", "#a9cbe0", "#c5dcea", "#fdf6e6", ("#f7c6c0", "#fbe3a8", "#ffffff")),
        ("blush and mint", "#f2c9c4", "#f7dcd6", "#fffaf2", ("#a8d5c2", "#fbe3a8", "#ffffff")),
    ),
    "gaming": (
        ("deep violet and neon cyan", "#3b2a6b", "#4a3788", "#5d4aa5", ("#24d6e8", "#f43f9d", "#7c5cff")),
        ("midnight blue and magenta", "#1f2f63", "#2a3f7e", "#3b549c", ("#ff3ea5", "#3ee0ff", "#ffd23e")),
    ),
    "outdoor": (
        ("forest green and sandstone", "#7f9a76", "#b9b48b", "#e6d9bb", ("#4a6448", "#c9794b", "#d9c9a3")),
        ("clear sky and terracotta", "#8fb7cd", "#d8b48c", "#ecd9ba", ("#b6623d", "#58744f", "#f0e4cc")),
    ),
    "": (
        ("warm sand and clay", "#dcbfa3", "#e8d2ba", "#f8efe3", ("#b5714d", "#f4e3cd", "#7d8c74")),
        ("stone grey and blush", "#c3bdb8", "#d7d1cb", "#f4efea", ("#d9a295", "#8f8a86", "#f8f1ea")),
    ),
}
_AGE_SATURATION = {"18-24": 1.12, "25-34": 1.04, "": 1.0, "35-44": 0.95, "45-54": 0.86, "55+": 0.8}
_WOODS = {"baby": "#dcbd92", "gaming": "#4a352b", "outdoor": "#96704a", "pets": "#b9875a"}
_USUAL_WOOD = "#a97c54"
_GENDER_WARMTH = {"female": 0.035, "male": -0.035, "": 0.0}


def choose_palette(audience: Audience, choice: int) -> Palette:
    """Return a palette for an audience.

    Args:
        audience: Audience of the ad.
        choice: Any number; selects one of the palettes of the interest.
    """
    options = _PALETTES[audience.interest]
    name, wall, floor, podium, accents = options[choice % len(options)]
    saturation, warmth = _AGE_SATURATION[audience.age], _GENDER_WARMTH[audience.gender]

    def colour(code: str) -> Colour:
        return to_linear_colour(_tuned(code, saturation, warmth))

    return Palette(
        name,
        colour(wall),
        colour(floor),
        colour(podium),
        tuple(colour(accent) for accent in accents),
        colour(_WOODS.get(audience.interest, _USUAL_WOOD)),
    )


def _tuned(code: str, saturation: float, warmth: float) -> Colour:
    red, green, blue = (int(code[start : start + 2], 16) / 255 for start in (1, 3, 5))
    hue, value, chroma = colorsys.rgb_to_hls(red, green, blue)
    red, green, blue = colorsys.hls_to_rgb(hue, value, min(1.0, chroma * saturation))
    return _clip(red * (1 + warmth)), _clip(green), _clip(blue * (1 - warmth))


def _clip(part: float) -> float:
    return min(1.0, max(0.0, part))
