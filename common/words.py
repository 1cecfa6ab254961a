"""Widths of texts, as ad platforms count them, and what texts say."""

import re
import unicodedata


def half_widths(text: str) -> int:
    """Return the width of a text: a full-width character counts two, any other one (Unicode Standard Annex 11).

    Characters of ambiguous width, such as dashes and quotation marks, are as wide as those around them: two in a text
    that has wide ones.
    """
    kinds = [unicodedata.east_asian_width(character) for character in text]
    wide = "WFA" if any(kind in "WF" for kind in kinds) else "WF"
    return sum(2 if kind in wide else 1 for kind in kinds)


def folded(text: str) -> str:
    """Return a text without differences of case and of width."""
    return unicodedata.normalize("NFKC", text).casefold()


def says(text: str, phrase: str) -> bool:
    """Return whether a folded text has a phrase; in English as words of their own: "delight" does not say "light"."""
    return bool(re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text)) if phrase.isascii() else phrase in text
