"""Styles: named pictures around a product, of rendered sets as of image models. They are data, in styles.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from common.words import folded, says


@dataclass(frozen=True)
class Style:
    """A style.

    Attributes:
        name: Name in requests, such as "white_studio".
        en: Title in English.
        zh: Title in Traditional Chinese.
        sets: Names of the rendered sets that show it.
        words: What users call it, in both languages.
        scene: The place, for image models.
        light: Its light.
        palette: Its colours.
        props: What else is seen.
    """

    name: str
    en: str
    zh: str
    sets: tuple[str, ...]
    words: tuple[str, ...]
    scene: str
    light: str
    palette: str
    props: str

    def is_meant(self, text: str) -> bool:
        """Return whether a text has one of its words: in English as words of their own."""
        return any(says(folded(text), word) for word in self.words)


@cache
def styles() -> MappingProxyType[str, Style]:
    """Return every style by name."""
    tables = tomllib.loads(Path(__file__).with_name("styles.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _style(name, table) for name, table in tables.items()})


def _style(name: str, table: dict[str, Any]) -> Style:
    lists = {field: tuple(table[field]) for field in ("sets", "words")}
    return Style(**(table | lists | {"name": name}))
