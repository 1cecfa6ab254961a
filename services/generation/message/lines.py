"""Line breaking: between words, and between phrases of Chinese; lines of even length, no orphans."""

import itertools
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from services.generation.text import phrases

NOT_FIRST = "，。、；：！？」』）》】…—,.;:!?)]}%’”・～"
"""Characters that begin no line (kinsoku)."""
NOT_LAST = "「『（《【(“‘$€£¥#"
"""Characters that end no line."""
ORPHAN = 0.34
"""Part of the mean line below which a last line is an orphan."""
TORN = 0.35
"""Cost of a line that ends within a Chinese clause, as a part of the square of the mean line."""
WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")


def broken(text: str, room: float, most: int, width: Callable[[str], float]) -> list[str] | None:
    """Break a text into lines.

    Args:
        text: One paragraph.
        room: Width of the longest line.
        most: How many lines there may be.
        width: Width of a text.

    Returns:
        As few lines as possible, of lengths as even as possible; None if they do not fit.
    """
    pieces = _pieces(text)
    whole = [width(piece) for piece in pieces]
    last = [width(piece.rstrip()) for piece in pieces]
    if max(last, default=0.0) > room or sum(last) > most * room:
        return None
    torn = [*(_is_between_words(*two) for two in itertools.pairwise(pieces)), False]
    starts = [0.0, *itertools.accumulate(whole)]

    def length(start: int, end: int) -> float:
        return starts[end - 1] - starts[start] + last[end - 1]

    for count in range(1, min(most, len(pieces)) + 1):
        ends = _even(torn, count, room, length)
        if ends:
            return ["".join(pieces[start:end]).strip() for start, end in itertools.pairwise((0, *ends))]
    return None


def torn_words(lines: Sequence[str]) -> int:
    """Return how many lines end between two Chinese characters, where a word may go on, not at a mark or a space."""
    return sum(_is_between_words(one, other) for one, other in itertools.pairwise(lines))


def _is_between_words(one: str, other: str) -> bool:
    """Return whether a break between two texts would be in the middle of a Chinese clause."""
    is_after_word = bool(WIDE.match(one[-1])) and one[-1] not in NOT_FIRST
    return is_after_word and bool(WIDE.match(other[0]) or other[0].isdigit())


def _even(torn: Sequence[bool], count: int, room: float, length: Callable[[int, int], float]) -> tuple[int, ...]:
    """Return where each of so many lines ends so that they differ least in length, and clauses stay whole if they can.

    Args:
        torn: Whether a line would end in the middle of a clause, by the piece that ends it.
        count: How many lines.
        room: Width of the longest.
        length: Width of the pieces from one to another.

    Returns:
        Nothing if they do not fit.
    """
    pieces = len(torn)
    mean = length(0, pieces) / count
    # The best division of the first pieces into some lines: its cost, and where the lines end.
    best: list[tuple[float, tuple[int, ...]] | None] = [(0.0, ()), *[None] * pieces]
    for line in range(1, count + 1):
        longer: list[tuple[float, tuple[int, ...]] | None] = [None] * (pieces + 1)
        for end in range(line, pieces + 1):
            if line == count and end < pieces:
                continue
            for start in range(end):
                before = best[start]
                long = length(start, end)
                if before is None or long > room:
                    continue
                orphan = line == count > 1 and long < ORPHAN * mean
                broken_off = (1.0 if orphan else 0.0) + (TORN if torn[end - 1] else 0.0)
                cost = before[0] + (long - mean) ** 2 + broken_off * mean**2
                found = longer[end]
                if found is None or cost < found[0]:
                    longer[end] = (cost, (*before[1], end))
        best = longer
    found = best[pieces]
    return found[1] if found else ()


@lru_cache(512)
def _pieces(text: str) -> tuple[str, ...]:
    """Return the text in pieces within which no line ends."""
    pieces: list[str] = []
    for word in re.findall(r"\S+\s*", text):
        for phrase in phrases(word) if WIDE.search(word) else [word]:
            if pieces and (phrase[0] in NOT_FIRST or pieces[-1][-1] in NOT_LAST or _is_torn(pieces[-1], phrase)):
                pieces[-1] += phrase
            else:
                pieces.append(phrase)
    return tuple(pieces)


def _is_torn(before: str, after: str) -> bool:
    """Return whether a word or a figure would be torn, "12" from "小時", or a single character would stand alone."""
    is_latin = before[-1].isascii() and after[0].isascii() and not before[-1].isspace()
    return is_latin or before.rstrip()[-1:].isdigit() or (len(before) == 1 and not before.isascii())
