"""Fonts: which one has a character, how wide a line is, and its drawing. Shaped by HarfBuzz, through Pillow."""

import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont

from common.errors import PreconditionError
from common.models.weights import check_weights

FILES = {
    ("sans", "bold"): ("Inter-Bold.ttf", "NotoSansTC-Bold.ttf"),
    ("sans", "medium"): ("Inter-Medium.ttf", "NotoSansTC-Medium.ttf"),
    ("serif", "bold"): ("SourceSerif4-Bold.ttf", "NotoSerifTC-Bold.ttf"),
    ("serif", "medium"): ("Inter-Medium.ttf", "NotoSansTC-Medium.ttf"),
}
"""Fonts of each face, the Latin one first; small print is always sans."""
OTHERS = ("NotoSansArabic-Bold.ttf", "NotoSansHebrew-Bold.ttf", "NotoEmoji-Bold.ttf")
"""Fonts for what those do not have."""
MIDDLE_OF_TYPE = 0.37
"""Height of the middle of capitals and of Chinese characters above the baseline, in ems."""
REFERENCE = 200
"""Size in which widths are measured, in pixels."""
FINER = 4
"""Drawn over final size."""
JOINING = ("\u200d", "\ufe0f", "\ufe0e")
"""Characters that belong to the one before, whichever font has them."""


@dataclass(frozen=True)
class _Run:
    """Characters in a row that one font has."""

    file: str
    text: str


class Fonts:
    """The fonts of a folder. Thread-safe.

    Args:
        folder: Folder of font files; see weights/manifest.toml.

    Raises:
        ValueError: A font file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in {*OTHERS, *(file for files in FILES.values() for file in files)}:
            if (folder / name).is_file():
                check_weights(folder / name)

    def face(self, font: str, weight: str, size: int) -> "Face":
        """Return a face.

        Args:
            font: "sans" or "serif".
            weight: "bold" or "medium".
            size: Size in pixels.

        Raises:
            PreconditionError: A font file is missing.
        """
        return Face(_files(self._folder, font, weight), size)


@dataclass(frozen=True)
class Face:
    """Fonts in one size that complete one another.

    Attributes:
        files: Font files, preferred one first.
        size: Size in pixels.
    """

    files: tuple[str, ...]
    size: int

    def width(self, text: str) -> float:
        """Return the width of a line, in pixels."""
        return self.size * _ems(self.files, text)

    def draw(self, image: Image.Image, left: float, baseline: float, text: str, colour: tuple[int, int, int]) -> None:
        """Draw a line. It is drawn larger and reduced: fonts round the places of their letters to whole pixels."""
        size, width = self.size * FINER, math.ceil(self.width(text)) + 2 * self.size
        mask = Image.new("L", (width * FINER, 2 * size))
        canvas = ImageDraw.Draw(mask)
        whole_left, whole_top = math.floor(left) - self.size, math.floor(baseline - 1.5 * self.size)
        at = (left - whole_left) * FINER
        runs = list(_runs(self.files, text))
        for run in reversed(runs) if is_right_to_left(text) else runs:
            font = _font(run.file, size)
            canvas.text((at, (baseline - whole_top) * FINER), run.text, fill=255, font=font, anchor="ls")
            at += font.getlength(run.text)
        image.paste(colour, (whole_left, whole_top), mask.reduce(FINER))


def _runs(files: tuple[str, ...], text: str) -> Iterator[_Run]:
    start, current = 0, ""
    for at, character in enumerate(text):
        file = current if current and character in JOINING else _file_of(files, character, current)
        if file != current and at > start:
            yield _Run(current, text[start:at])
            start = at
        current = file
    if text:
        yield _Run(current, text[start:])


def _file_of(files: tuple[str, ...], character: str, current: str) -> str:
    """Return the font of a character; marks and figures stay with what is before them, if its font has them."""
    if character.isspace() and current:
        return current
    preferred = (current, *files) if current and unicodedata.category(character)[0] in "NPZ" else files
    return next((file for file in preferred if ord(character) in _coverage(file)), files[-1])


def is_right_to_left(text: str) -> bool:
    """Return whether a text begins in a script that runs from right to left."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    return next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L"


@lru_cache(64)
def _files(folder: Path, font: str, weight: str) -> tuple[str, ...]:
    needed = FILES[font, weight]
    missing = [file for file in needed if not (folder / file).is_file()]
    if missing:
        raise PreconditionError(
            f"Words cannot be set: {' and '.join(missing)} must be fetched with `product-image weights fetch`.",
            "NO_FONTS",
        )
    return tuple(str(folder / file) for file in (*needed, *OTHERS) if (folder / file).is_file())


@lru_cache(4096)
def _ems(files: tuple[str, ...], text: str) -> float:
    """Return the width of a line in ems; it is the same in every size."""
    return sum(_font(run.file, REFERENCE).getlength(run.text) for run in _runs(files, text)) / REFERENCE


@lru_cache(256)
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.RAQM)


@cache
def _coverage(file: str) -> frozenset[int]:
    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())
