"""Clean-up of text from users, and its phrases."""

import unicodedata
from functools import cache

import budoux

VISIBLE = "LNPS"
"""Kinds of characters that can be seen by themselves: letters, numbers, punctuation and symbols."""
JOINER = "\u200d"
"""Zero-width joiner, kept because it joins emoji; other control and format characters become spaces."""


def plain(text: str) -> str:
    """Reduce a text to one line without control characters or repeated spaces.

    Returns:
        The line; empty if nothing in it can be seen.
    """
    printable = "".join(
        " " if unicodedata.category(character).startswith("C") and character != JOINER else character
        for character in text
    )
    line = " ".join(printable.split())
    return line if any(unicodedata.category(character)[0] in VISIBLE for character in line) else ""


def described(text: str) -> str:
    """Return a description as `plain` does; empty if it has neither a letter nor a digit."""
    line = plain(text)
    return line if any(character.isalnum() for character in line) else ""


def phrases(text: str) -> list[str]:
    """Return a text in the phrases at which Chinese may be broken (BudouX); joined, they are the text."""
    return list(_parser().parse(text))


@cache
def _parser() -> budoux.Parser:
    return budoux.load_default_traditional_chinese_parser()
