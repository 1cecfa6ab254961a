"""What is to be set on a picture."""

from dataclasses import dataclass

from common.imaging.codec import Pixels

MOST_CHARACTERS = {"headline": 60, "call_to_action": 30, "price": 20, "legal": 120}
"""Characters of each text at most."""
FONTS = ("sans", "serif")
Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True)
class Message:
    """Words and logo. What is empty is left out.

    Attributes:
        headline: Headline.
        call_to_action: Text of the button.
        price: Price or badge.
        legal: Legal line.
        logo: (h, w, 4), straight alpha, cropped to what is visible; None if there is none.
        primary: Colour of the button; None: one that suits the picture.
        secondary: Colour of the badge; None: one that suits the picture.
        font: One of FONTS.
        layout: Name of a layout; empty: the best for each size.
    """

    headline: str = ""
    call_to_action: str = ""
    price: str = ""
    legal: str = ""
    logo: Pixels | None = None
    primary: Colour | None = None
    secondary: Colour | None = None
    font: str = "sans"
    layout: str = ""
