"""From a product and its audience to the words an image model is given."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from services.generation.audience import Audience, Product, Terms
from services.generation.text import plain

LONGEST_TERM = 80
"""Of what comes from users or from another model, in characters."""
MOST_FEATURES = 3


@dataclass(frozen=True)
class Prompt:
    """What the model is asked for, and what it is to leave out."""

    text: str
    negative: str

    @property
    def recorded(self) -> str:
        """Both, as records keep them."""
        return f"{self.text} | without: {self.negative}"


def build_prompt(product: Product, audience: Audience, terms: Terms | None, *, stand_in: bool) -> Prompt:
    """Write a prompt. The same arguments give the same words.

    What users wrote is quoted, in one line, shortened, and never the subject of an instruction: at worst it is a thing
    that the picture alludes to.

    Args:
        product: The user's words.
        audience: Decides scene, light, palette and props.
        terms: The same in English, if a model that can translate is there.
        stand_in: Whether something of the product's kind stands at its place, so that light and scale suit it (it is
            removed later); otherwise the place is asked to be empty.
    """
    table = _table()
    scene = table["interest"].get(audience.interest, table["interest"]["default"])
    style = table["age"].get(audience.age, table["age"]["default"])
    mood = table["gender"].get(audience.gender, table["gender"]["default"])
    thing = _quoted(terms.product if terms else product.name)
    place = table["place"]["stand_in" if stand_in else "empty"].format(product=thing)
    sentences = [
        f"{table['start']} {scene['scene']}",
        place,
        f"Light: {scene['light']}; {mood['light']}",
        f"Palette: {scene['palette']}, {mood['palette']}",
        f"Around it, small and out of focus: {scene['props']}",
        f"Style: {style}",
        *_allusions(terms),
        str(table["end"]),
    ]
    negative = table["negative"] if stand_in else f"{table['negative']}, {table['negative_empty']}"
    return Prompt(". ".join(sentence.rstrip(".") for sentence in sentences) + ".", negative)


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("scenes.toml").read_text(encoding="utf-8"))


def _quoted(text: str) -> str:
    """Make one short line of a text, without what could end the quotation."""
    return '"' + plain(text).replace('"', "'")[:LONGEST_TERM].strip() + '"'


def _allusions(terms: Terms | None) -> list[str]:
    if terms is None:
        return []
    said = []
    if terms.features:
        said.append("The mood suits something that is " + ", ".join(map(_quoted, terms.features[:MOST_FEATURES])))
    if terms.audience:
        said.append(f"It appeals to {_quoted(terms.audience)}")
    return said
