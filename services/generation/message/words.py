"""A message and the fonts it is set in: chooses the layout of each ad."""

from collections.abc import Callable
from dataclasses import dataclass

from services.generation.geometry import Box, Size
from services.generation.message.fonts import Fonts
from services.generation.message.layouts import Layout, layouts_for, product_frames
from services.generation.message.message import Message
from services.generation.message.setting import Setting, set_beside

Placer = Callable[[Layout, Box], Box]
"""Returns the box of the product, given a layout and its part for the product."""
Arranger = Callable[[Box], Box]
"""Returns the box of a product that was moved."""


@dataclass(frozen=True)
class Words:
    """A message to be set on ads.

    Attributes:
        message: The message.
        fonts: Fonts.
    """

    message: Message
    fonts: Fonts

    def best(self, ad: Size, place: Placer, arrange: Arranger = lambda box: box) -> Setting | None:
        """Set the message in the layout that shows product and headline largest; None if there is no room for it.

        Args:
            ad: Size of the ad.
            place: Places the product in the part that a layout has for it.
            arrange: Moves the product from there. The layout stays, as long as there is room for the words.

        Raises:
            PreconditionError: The fonts are missing.
        """
        found = self._largest(ad, place)
        if found and arrange(found.product) != found.product:
            found = set_beside(self.message, found.layout, ad, found.frame, arrange(found.product), self.fonts)
        return found or self._largest(ad, lambda layout, frame: arrange(place(layout, frame)))

    def _largest(self, ad: Size, place: Placer) -> Setting | None:
        best: Setting | None = None
        for layout in layouts_for(ad, self.message.layout).layouts:
            for frame in product_frames(layout, ad):
                least = best.worth(ad) if best else 0.0
                found = set_beside(self.message, layout, ad, frame, place(layout, frame), self.fonts, least)
                if found and found.worth(ad) > least:
                    best = found
        return best
