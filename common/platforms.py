"""What ad platforms accept: pictures, words, and where words may stand. The rules are in platforms.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class PictureRule:
    """A picture of a platform.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        bytes: The most bytes of its file, metadata included.
        required: Whether a campaign needs it.
        top: Part of the height, from the top, in which no words belong.
        bottom: Part of the height, from the bottom, in which no words belong.
        middle: Part of width and height, in the middle, in which words belong.
    """

    width: int
    height: int
    bytes: int
    required: bool
    top: float
    bottom: float
    middle: float

    @property
    def name(self) -> str:
        """Such as "300x250"."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class TextRule:
    """A text field of a platform.

    Attributes:
        width: The most half-widths of a text; see common.words.
        least: How many texts it needs.
        most: How many texts it takes.
    """

    width: int
    least: int
    most: int


@dataclass(frozen=True)
class Platform:
    """An ad platform.

    Attributes:
        name: Name in requests, such as "google".
        title: Name for people.
        source: Where its rules are published.
        read: Month in which they were read, as YYYY-MM.
        formats: File formats it takes: jpeg, png or webp.
        pictures: Its pictures.
        texts: Its text fields, by name.
    """

    name: str
    title: str
    source: str
    read: str
    formats: tuple[str, ...]
    pictures: tuple[PictureRule, ...]
    texts: MappingProxyType[str, TextRule]


@cache
def platforms() -> MappingProxyType[str, Platform]:
    """Return every platform by name."""
    tables = tomllib.loads(Path(__file__).with_name("platforms.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: _platform(name, table) for name, table in tables.items()})


def _platform(name: str, table: dict[str, Any]) -> Platform:
    middle = table.get("middle", 1.0)
    return Platform(
        name,
        table["title"],
        table["source"],
        table["read"],
        tuple(table["formats"]),
        tuple(_picture(entry, middle) for entry in table["pictures"]),
        MappingProxyType({field: TextRule(**rule) for field, rule in table.get("texts", {}).items()}),
    )


def _picture(entry: dict[str, Any], middle: float) -> PictureRule:
    width, height = (int(side) for side in entry["size"].split("x"))
    return PictureRule(
        width,
        height,
        entry["bytes"],
        entry.get("required", False),
        entry.get("top", 0.0),
        entry.get("bottom", 0.0),
        middle,
    )


@cache
def most_bytes(width: int, height: int) -> int:
    """Return the most bytes that every platform with a picture of this size allows; 0 if none has one."""
    limits = [
        rule.bytes
        for platform in platforms().values()
        for rule in platform.pictures
        if (rule.width, rule.height) == (width, height)
    ]
    return min(limits, default=0)
