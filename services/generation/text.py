"""Clean-up of text from users."""

import unicodedata

JOINER = "\u200d"
"""Zero-width joiner, kept because it joins emoji; other control and format characters become spaces."""


def plain(text: str) -> str:
    """Reduce a text to one line without control characters or repeated spaces; may return an empty string."""
    printable = "".join(
        " " if unicodedata.category(character).startswith("C") and character != JOINER else character
        for character in text
    )
    return " ".join(printable.split())
