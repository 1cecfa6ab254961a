"""Which set suits a product and its audience."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from common.styles import styles
from services.generation.audience import Audience
from services.generation.background.background import Preferences
from services.generation.engines.set.description import SetDescription
from services.generation.engines.set.develop import develop, undeveloped
from services.generation.engines.set.look import Lab, Look
from services.generation.engines.set.matter import linear
from services.generation.engines.set.panorama import LUMINANCE, Light, backplate
from services.generation.srgb import decode, encode
from services.generation.stance import Stance

FITS, NEUTRAL, FOREIGN = 8.0, 1.0, 0.15
"""Weight of a set that suits the audience's interest, of one for everybody, and of any other."""
TOO_ALIKE, APART = 14.0, 42.0
"""Colour differences (CIE76) between product and background: below the first they merge; the second is plenty."""
LEAST = 0.03
UNEVEN = 2.5
"""Lightness by which a paper's two colours are darker and lighter."""
MOST_SHOWN, MOST_REFLECTED = 0.97, 0.8
"""Code of the brightest paper, of 1; light that the whitest one reflects."""
BRAND_APART = 28.0
"""Colour difference (CIE76) between product and brand from which the product stands out on paper of that colour."""
PAPER_LIGHTNESS = (28.0, 90.0)
"""Lightness of papers: darker or lighter ones show no shadow."""


@dataclass(frozen=True)
class Paper:
    """A coloured paper.

    Attributes:
        colours: Codes of its matter's two colours.
        exposure: Exposure at which it is seen in the colour that is meant.
    """

    colours: tuple[str, str]
    exposure: float


def preferred_sets(
    sets: Sequence[SetDescription], stance: Stance, preferences: Preferences
) -> tuple[list[SetDescription], str]:
    """Return the sets that meet preferences, and a note on what cannot be met; empty if all can.

    A style names sets. A scene in words is met by the sets of the styles that it names; so is what is to be avoided.

    Args:
        sets: All sets.
        stance: How the product is shown.
        preferences: What the user asks for.
    """
    fitting = [photo_set for photo_set in sets if stance in photo_set.stances] or list(sets)
    meant = [style for style in styles().values() if preferences.scene and style.is_meant(preferences.scene)]
    chosen = [styles()[preferences.style]] if preferences.style else meant
    unwanted = [style for style in styles().values() if preferences.avoid and style.is_meant(preferences.avoid)]
    avoided = {name for style in unwanted for name in style.sets}
    named = {name for style in chosen for name in style.sets}
    allowed = [photo_set for photo_set in fitting if photo_set.name not in avoided - named] or fitting
    preferred = [photo_set for photo_set in allowed if photo_set.name in named]
    if not preferred and stance == "outdoors":  # a car in a room, if that is what is asked for
        preferred = [photo_set for photo_set in sets if photo_set.name in named and "large" in photo_set.stances]
    if preferences.style and not preferred:
        return allowed, f"the style {preferences.style} has no set that is installed"
    if preferences.scene and not meant:
        names = ", ".join(style.en for style in styles().values())
        return preferred or allowed, f"sets cannot show the scene asked for: the nearest to choose from are {names}"
    return preferred or allowed, ""


def choose_set(
    sets: Sequence[SetDescription],
    behind: Mapping[str, Lab],
    audience: Audience,
    look: Look,
    rng: np.random.Generator,
) -> SetDescription:
    """Choose a set: by the audience's interest, and so that the product stands out.

    Args:
        sets: Sets to choose from.
        behind: Colour behind the product in each set, by name (CIE Lab).
        audience: The audience.
        look: How the product looks.
        rng: Source of chance; the same state chooses the same set.
    """
    weights = np.array([_interest(photo_set, audience) * _contrast(behind[photo_set.name], look) for photo_set in sets])
    return sets[int(rng.choice(len(sets), p=weights / weights.sum()))]


def _interest(photo_set: SetDescription, audience: Audience) -> float:
    if audience.interest in photo_set.interests:
        return FITS if audience.interest else NEUTRAL
    return NEUTRAL if "" in photo_set.interests else FOREIGN


def _contrast(behind: Lab, look: Look) -> float:
    apart = float(np.linalg.norm(behind - look.outline))
    return LEAST + float(np.clip((apart - TOO_ALIKE) / (APART - TOO_ALIKE), 0, 1))


def colour_behind(photo_set: SetDescription, panorama: Light | None) -> Lab:
    """Return the colour that is behind the product in a set (CIE Lab)."""
    if panorama is not None and photo_set.panorama is not None:
        seen = backplate(panorama, photo_set.panorama, 48, 48, blur=0.02)
        middle = develop(seen, photo_set.exposure, photo_set.warmth, 0)[8:36, 12:36]
        return _lab(middle.reshape(-1, 3).mean(axis=0))
    colour = np.mean([linear(code) for code in (photo_set.wall or photo_set.matter).colours[:2]], axis=0)
    field = np.broadcast_to(np.asarray(colour, np.float32), (8, 8, 3))
    return _lab(develop(field, photo_set.exposure, photo_set.warmth, 0).reshape(-1, 3).mean(axis=0))


def _lab(light: NDArray[np.float32]) -> Lab:
    code = encode(light).astype(np.float32).reshape(1, 1, 3)
    return np.asarray(cv2.cvtColor(code, cv2.COLOR_RGB2Lab)[0, 0], np.float32)


def paper_for(look: Look, rng: np.random.Generator, brand: str = "") -> Paper:
    """Return a paper whose colour, as it is seen, goes with a product: the brand's, or the hue's neighbour or opposite.

    Args:
        look: How the product looks.
        rng: Source of chance.
        brand: Colour of the brand, as #RRGGBB; passed over if the product would merge with it.
    """
    if brand:
        own = _lab(np.asarray(linear(brand.lower()), np.float32))
        if float(np.linalg.norm(own - look.outline)) > BRAND_APART:
            return _paper(float(np.clip(own[0], *PAPER_LIGHTNESS)), float(own[1]), float(own[2]))
    lightness, a, b = (float(part) for part in look.colour)
    hue = math.atan2(b, a) if math.hypot(a, b) > 8 else rng.uniform(0, 2 * math.pi)
    turn = math.radians(float(rng.choice([-35, 35, 150, 180, 210])))
    bright = 80.0 if lightness < 58 else 46.0
    chroma = float(rng.uniform(24, 40))
    return _paper(bright, chroma * math.cos(hue + turn), chroma * math.sin(hue + turn))


def _paper(lightness: float, a: float, b: float) -> Paper:
    """Return a paper that is seen in a colour (CIE Lab), a little darker and lighter by turns."""
    lab = np.array([[[level, a, b] for level in (lightness - UNEVEN, lightness + UNEVEN)]], np.float32)
    shown = decode(np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)[0], 0, MOST_SHOWN))
    light = undeveloped(shown)
    matter = encode(light * (MOST_REFLECTED / max(MOST_REFLECTED, float(light.max()))))
    dark, bright = ("#" + bytes(np.round(colour * 255).astype(np.uint8)).hex() for colour in matter)
    return Paper((dark, bright), float(np.mean(light @ LUMINANCE)))
