"""What a description says, in parts that fit: whole sentences, else clauses, else words.

A text is never cut inside a figure and its unit, a time, a price or a quotation, nor inside a word.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

import regex

from services.generation.text import phrases, plain

Measure = Callable[[str], int]
"""Length of a text: len, or half_widths."""

_BULLET = re.compile(r"^\s*(?:[•·‧*–—-]|\d{1,2}[.)、])\s+")
_SENTENCE_END = re.compile(r"[。！？；!?;]+|\.(?=\s|$)")
_CLAUSE_END = re.compile(r"[，、,:：]")
_ABBREVIATION = re.compile(r"\b(?:no|nos|approx|max|min|vs|dr|mr|mrs|ms|st|inc|ltd|co|e\.g|i\.e|[a-z])$", re.IGNORECASE)
_UNIT = (
    r"小時|分鐘|秒鐘|公分|公尺|公里|公克|公斤|毫升|公升|毫克|毫米|平方公尺|英吋|個月|顆星"
    r"|[秒分時天日週月年歲元塊件個片包支瓶盒組入倍吋坪度層段種色枚張顆條款號克]"
)
_KEPT = re.compile(
    rf"""
    「[^」]*」 | 『[^』]*』 | “[^”]*” | "[^"]*" | （[^）]*） | \([^)]*\) | 《[^》]*》 | 【[^】]*】
    | (?:(?:NT|US|HK)?[$€£¥]\s?)? \d+ (?:[.,:/×xX~–-]\d+)*
      (?:\s?(?:{_UNIT}) | \s?[%‰°℃″′"']+[CF]? | -?[A-Za-zµμΩ]+\d? | \s[A-Za-zµμΩ]+)?
    """,
    re.VERBOSE,
)
_DANGLING = re.compile(
    r"(?:[\s，、,:：；;—–-]+|\b(?:a|an|the|of|and|or|for|with|to|in|on|by|from|at|is|are|that|which|your|our)|(?<!目)[的和與及或在])$",
    re.IGNORECASE,
)


@lru_cache(256)
def sentences(description: str) -> tuple[str, ...]:
    """Return the sentences of a description without their stops; question and exclamation marks stay."""
    found = []
    for line in description.splitlines():
        text = plain(_BULLET.sub("", line))
        found += [part.rstrip("。.；; ") for part in _parts(text, _SENTENCE_END)]
    return tuple(sentence for sentence in found if any(character.isalnum() for character in sentence))


def clauses(sentence: str) -> list[str]:
    """Return the clauses of a sentence, without what separates them."""
    parts = (part.rstrip("，、,:：！？!? ") for part in _parts(sentence, _CLAUSE_END))
    return [part for part in parts if any(character.isalnum() for character in part)]


def told(description: str, room: int, measure: Measure, stop: str, ellipsis: str = "") -> str:
    """Return as much of a description as fits: whole sentences, else whole clauses, else words.

    Args:
        description: The description.
        room: Longest result.
        measure: Length of a text.
        stop: What stands between sentences.
        ellipsis: Mark of what was cut between words; empty: nothing is.

    Returns:
        Text without a stop at its end; empty if nothing fits.
    """
    all_of_it = sentences(description)
    if not all_of_it:
        return ""
    text = ""
    for sentence in all_of_it:
        longer = f"{text}{'' if text[-1:] in '！？!?' else stop}{sentence}" if text else sentence
        if measure(longer) > room:
            break
        text = longer
    if text:
        return text
    first = all_of_it[0]
    ends = [end for end in _cuts(first, _CLAUSE_END) if measure(first[:end].rstrip("，、,:： ")) <= room]
    if ends:
        return first[: ends[-1]].rstrip("，、,:： ")
    return shortened(first, room, measure, ellipsis) if ellipsis else ""


def shortened(text: str, room: int, measure: Measure, ellipsis: str = "…") -> str:
    """Return a text, cut at the end of a word if it is too long.

    Args:
        text: One line.
        room: Longest result.
        measure: Length of a text.
        ellipsis: Mark of what was cut.

    Returns:
        The text, or its beginning with the mark; empty if not even its first word fits.
    """
    if measure(text) <= room:
        return text
    text = text[: room + 1]  # no character is shorter than one
    spans = list(_kept_spans(text))
    for ends in (_word_ends(text), _cluster_ends(text)):
        for end in reversed(ends):
            if any(start < end < stop for start, stop in spans):
                continue
            beginning = _without_dangling(text[:end])
            if beginning and measure(beginning + ellipsis) <= room:
                return beginning + ellipsis
        if any(measure(text[:end]) <= room for end in ends):
            break  # words fit, but nothing that can stand alone: do not cut into them
    return ""


def _without_dangling(text: str) -> str:
    while (shorter := _DANGLING.sub("", text)) != text:
        text = shorter
    return text


def _parts(text: str, end: re.Pattern[str]) -> Iterator[str]:
    start = 0
    for cut in [*_cuts(text, end), len(text)]:
        yield text[start:cut].strip()
        start = cut


def _cuts(text: str, end: re.Pattern[str]) -> list[int]:
    """Return where parts of a text end, after the mark; marks in figures, quotations and abbreviations end nothing."""
    spans = list(_kept_spans(text))
    cuts = []
    for mark in end.finditer(text):
        is_inside = any(start <= mark.start() < stop for start, stop in spans)
        is_abbreviation = mark[0] == "." and _ABBREVIATION.search(text[: mark.start()])
        if not is_inside and not (is_abbreviation and mark.end() < len(text)):
            cuts.append(mark.end())
    return cuts


def _kept_spans(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _KEPT.finditer(text))


def _word_ends(text: str) -> list[int]:
    """Return where words end: at spaces, and between phrases of Chinese."""
    ends, at = [], 0
    for phrase in phrases(text):
        at += len(phrase)
        ends.append(at)
    spaces = (found.start() for found in re.finditer(r"\s+", text))
    return sorted({*(end for end in ends if _is_boundary(text, end)), *spaces})


def _is_boundary(text: str, at: int) -> bool:
    return not (0 < at < len(text) and text[at - 1].isascii() and text[at].isascii() and not text[at].isspace())


def _cluster_ends(text: str) -> list[int]:
    return [found.end() for found in regex.finditer(r"\X", text)]
