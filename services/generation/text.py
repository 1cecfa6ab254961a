"""Cleaning what users write."""

import unicodedata

JOINER = "\u200d"
"""Holds emoji together; every other control or invisible format character goes."""


def plain(text: str) -> str:
    """Make one line of a text, without control characters and doubled spaces; may come out empty."""
    printable = "".join(
        " " if unicodedata.category(character).startswith("C") and character != JOINER else character
        for character in text
    )
    return " ".join(printable.split())
