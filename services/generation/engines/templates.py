"""Copy from templates: always available, true, and within the length limits by construction."""

import random
import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from common.words import half_widths
from services.generation.copy.copy import (
    CALL_WIDTH,
    HEADLINE_WIDTH,
    LONG_LENGTH,
    NAME_WIDTH,
    SHORT_LENGTH,
    Copy,
    CopyRequest,
)
from services.generation.copy.description import Measure, clauses, sentences, shortened, told
from services.generation.copy.fields import filled
from services.generation.text import plain

LEAST_TOLD = 8
"""Room, in characters, below which nothing of the description is told."""


class Templates:
    """Fills sentence templates of the locale with the product's name and description, in a tone for the audience."""

    name = "templates"

    def estimate(self, _request: CopyRequest) -> float:
        """See CopyEngine: it costs nothing."""
        return 0.0

    def ask_end(self) -> None:
        """See CopyEngine: it does not end."""

    def write(self, request: CopyRequest) -> Copy:
        """See CopyEngine. The same request gives the same copy."""
        writer = _Writer(request)
        sources = {
            "line": writer.lines,
            "sentence": writer.sentences,
            "call": writer.calls,
            "brand": lambda _width: [plain(request.brand)],
        }
        return Copy(
            writer.text(SHORT_LENGTH, len),
            writer.text(LONG_LENGTH, len),
            writer.headline(),
            next(writer.calls(CALL_WIDTH)),
            self.name,
            filled(request, sources),
        )


class _Writer:
    """Writes one copy: the words are chosen by the request's seed, product and audience."""

    def __init__(self, request: CopyRequest) -> None:
        audience = request.audience
        self._texts: dict[str, Any] = _texts()[request.locale]
        self._chance = random.Random(f"{request.seed}|{request.product.name}|{audience}")  # noqa: S311  # varies words
        self._name = plain(request.product.name)
        self._description = request.product.description
        tone = request.tone or audience.interest or "lively"
        self._openings = self._shuffled(self._texts["openings"][tone])
        self._closings = self._shuffled(self._texts["closings"][tone])
        self._more = [*self._shuffled(self._texts["more_of"].get(tone, [])), *self._shuffled(self._texts["more"])]
        self._frames = self._shuffled(self._texts["frames"])
        self._frames_of_name = self._shuffled(self._texts["frames_of_name"])

    def text(self, length: range, measure: Measure, turn: int = 0) -> str:
        """Write a text whose length is in a range, if name and sentences allow it; it is never longer."""
        opening, closing = _nth(self._openings, turn), _nth(self._closings, turn)
        telling, naming = _nth(self._frames, turn), _nth(self._frames_of_name, turn)
        parts = ((opening, closing), ("", closing), (opening, ""), ("", ""))
        tries = [
            *((telling, *part, "") for part in parts),
            *((telling, *part, self._texts["ellipsis"]) for part in parts),
            *((naming, *part, "") for part in parts),
            ("{name}{stop} {more}", "", "", ""),
        ]
        filled_in = (self._fill(*one, length, measure) for one in tries)
        whole = (text for text in filled_in if text and measure(text) <= length[-1])
        return next(whole, None) or shortened(self._name, length[-1], measure, self._texts["ellipsis"])

    def _fill(self, frame: str, opening: str, closing: str, ellipsis: str, length: range, measure: Measure) -> str:
        """Fill a frame; empty if it has a place for the description, and nothing of that fits."""

        def filled_with(about: str, more: str) -> str:
            words = {"about": about, "About": _capitalised(about), "more": more, "name": self._name}
            text = frame.format(**words, opening=opening, closing=closing, stop=self._texts["stop"])
            return _tidy(text, self._name, self._texts["stop"])

        about = ""
        if "bout}" in frame:
            room = length[-1] - measure(filled_with("", ""))
            stop = self._texts["stop"] + self._texts["space"]
            about = told(self._description, room, measure, stop, ellipsis) if room >= LEAST_TOLD else ""
            if not about:
                return ""
        more = ""
        for sentence in self._more:
            if measure(filled_with(about, more)) in length:
                break
            if measure(filled_with(about, more + sentence)) <= length[-1]:
                more += sentence
        return filled_with(about, more)

    def headline(self) -> str:
        """Return the headline for pictures: the name with something that the description says, else the name."""
        named = f"{self._name}{self._texts['colon']}"
        told_of = (text for part in self._parts() for text in (named + part, _capitalised(part)))
        fitting = (text for text in told_of if half_widths(text) <= HEADLINE_WIDTH)
        return next(fitting, None) or shortened(self._name, NAME_WIDTH, half_widths, self._texts["ellipsis"])

    def _parts(self) -> list[str]:
        """Return what can stand alone: sentences and their first clauses; in lists and in Chinese, any clause."""
        said = sentences(self._description)
        is_list = len(said) == 1 or self._texts["space"] == ""
        parts = [part for one in said for part in (one, *clauses(one)[: None if is_list else 1])]
        return list(dict.fromkeys(parts))

    def lines(self, width: int) -> Iterator[str]:
        """Return lines without an exclamation mark: the name, parts of the description, and the tone."""
        marks = "！!。."
        named = [frame.format(name=self._name) for frame in self._texts["headlines"]]
        parts = self._parts()
        joined = [f"{self._name}{self._texts['colon']}{part}" for part in parts]
        others = [*joined, *parts, *named[1:], *self._openings, *self._closings, *self._texts["calls"]]
        lines = [named[0], *(_capitalised(line) if line in parts else line for line in others)]
        yield from dict.fromkeys(line.rstrip(marks) for line in lines if half_widths(line.rstrip(marks)) <= width)

    def sentences(self, width: int) -> Iterator[str]:
        """Return texts of a sentence or two that use the width."""
        least = range(width // 3, width + 1)
        for turn in range(len(self._frames)):
            yield self.text(least, half_widths, turn)
        yield from self.lines(width)

    def calls(self, width: int) -> Iterator[str]:
        """Return calls to action."""
        yield from (call for call in self._shuffled(self._texts["calls"]) if half_widths(call) <= width)

    def _shuffled(self, texts: Sequence[str]) -> list[str]:
        return self._chance.sample(texts, len(texts))


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("templates.toml").read_text(encoding="utf-8"))


def _nth(texts: Sequence[str], number: int) -> str:
    return texts[number % len(texts)]


def _capitalised(text: str) -> str:
    """Return a text that begins with a capital, unless its first word is spelled its own way, such as iPhone."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.islower() else text


def _tidy(text: str, name: str, stop: str) -> str:
    """Set a space between Chinese and a Latin name; drop double spaces, and a stop after another mark."""
    if name[:1].isascii():
        text = re.sub(rf"(?<=[\u4e00-\u9fff])(?={re.escape(name)})", " ", text)
    text = " ".join(text.split())
    for mark in "！？!?…":
        text = text.replace(f"{mark}{stop}", mark)
    return text.strip()
