"""A message and the fonts it is set in: chooses the layout of each ad."""

from collections.abc import Callable
from dataclasses import dataclass

from services.generation.geometry import Box, Size
from services.generation.message.fonts import Fonts
from services.generation.message.layouts import Layout, layouts_for, product_frame
from services.generation.message.message import Message
from services.generation.message.setting import Setting, set_beside

Placer = Callable[[Layout, Box], Box]
"""Returns the box of the product, given a layout and its part for the product."""


@dataclass(frozen=True)
class Words:
    """A message to be set on ads.

    Attributes:
        message: The message.
        fonts: Fonts.
    """

    message: Message
    fonts: Fonts

    def best(self, ad: Size, place: Placer) -> Setting | None:
        """Set the message in the layout that shows product and headline largest; None if there is no room for it.

        Args:
            ad: Size of the ad.
            place: Places the product in the part that a layout has for it.

        Raises:
            PreconditionError: The fonts are missing.
        """
        settings = (
            set_beside(self.message, layout, ad, place(layout, product_frame(layout, ad)), self.fonts)
            for layout in layouts_for(ad, self.message.layout).layouts
        )
        return max((one for one in settings if one), key=lambda one: one.worth(ad), default=None)
