"""Prompts for image models, built from a product and its audience."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.styles import styles
from services.generation.audience import Audience, Product, Terms
from services.generation.background.background import NO_PREFERENCES, Preferences
from services.generation.geometry import MessageZone
from services.generation.text import plain

MAX_TERM = 80
"""Maximum length of a term from users or another model, in characters."""
MAX_FEATURES = 3
MAX_PREFERENCE = 300
"""Maximum length of a preference, in characters."""


@dataclass(frozen=True)
class Prompt:
    """Prompt and negative prompt for an image model."""

    text: str
    negative: str

    @property
    def recorded(self) -> str:
        """Both prompts, as stored in records."""
        return f"{self.text} | without: {self.negative}"


def build_prompt(
    product: Product,
    audience: Audience,
    terms: Terms | None,
    preferences: Preferences = NO_PREFERENCES,
    *,
    stand_in: bool,
    zone: MessageZone = "none",
) -> Prompt:
    """Build a prompt. The same arguments give the same prompt.

    User text is quoted, reduced to one line, truncated, and never the subject of an instruction: at worst the picture
    alludes to it.

    Args:
        product: Product in the user's words.
        audience: Audience; determines scene, light, palette and props.
        terms: Product and audience in English, if known.
        preferences: What the user asks for: a style, and words of the user's own in place of its scene.
        stand_in: Whether to ask for an object of the product's kind where the product goes, so that light and scale
            fit (it is removed later), instead of an empty place.
        zone: Where words will stand, so that the picture is calm there.
    """
    table = _table()
    chosen = styles().get(preferences.style)
    scene = vars(chosen) if chosen else table["interest"].get(audience.interest, table["interest"]["default"])
    shown = _quoted(preferences.scene, MAX_PREFERENCE) if preferences.scene else scene["scene"]
    style = table["age"].get(audience.age, table["age"]["default"])
    mood = table["gender"].get(audience.gender, table["gender"]["default"])
    thing = _quoted(terms.product if terms else product.name)
    place = table["place"]["stand_in" if stand_in else "empty"].format(product=thing)
    sentences = [
        f"{table['start']} {shown}",
        place,
        *([table["zone"][zone]] if zone in table["zone"] else []),
        *([] if preferences.scene and not chosen else _details(scene, mood)),
        f"Style: {style}",
        *_allusions(terms),
        str(table["end"]),
    ]
    negatives = [table["negative"], *([] if stand_in else [table["negative_empty"]])]
    avoided = [plain(preferences.avoid)[:MAX_PREFERENCE]] if preferences.avoid else []
    return Prompt(". ".join(sentence.rstrip(".") for sentence in sentences) + ".", ", ".join([*avoided, *negatives]))


def _details(scene: Mapping[str, str], mood: Mapping[str, str]) -> list[str]:
    return [
        f"Light: {scene['light']}; {mood['light']}",
        f"Palette: {scene['palette']}, {mood['palette']}",
        f"Around it, small and out of focus: {scene['props']}",
    ]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("scenes.toml").read_text(encoding="utf-8"))


def _quoted(text: str, most: int = MAX_TERM) -> str:
    """Quote a text as one short line that cannot end the quotation."""
    return '"' + plain(text).replace('"', "'")[:most].strip() + '"'


def _allusions(terms: Terms | None) -> list[str]:
    if terms is None:
        return []
    said = []
    if terms.features:
        said.append("The mood suits something that is " + ", ".join(map(_quoted, terms.features[:MAX_FEATURES])))
    if terms.audience:
        said.append(f"It appeals to {_quoted(terms.audience)}")
    return said
