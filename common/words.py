"""Widths of texts, as ad platforms count them."""

import unicodedata


def half_widths(text: str) -> int:
    """Return the width of a text: a full-width character counts two, any other one (Unicode Standard Annex 11).

    Characters of ambiguous width, such as dashes and quotation marks, are as wide as those around them: two in a text
    that has wide ones.
    """
    kinds = [unicodedata.east_asian_width(character) for character in text]
    wide = "WFA" if any(kind in "WF" for kind in kinds) else "WF"
    return sum(2 if kind in wide else 1 for kind in kinds)
