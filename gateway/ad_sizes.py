"""Ad sizes that are offered, and the proportions of the backgrounds they are cropped from."""

from dataclasses import dataclass

from common.errors import InvalidInputError

Family = tuple[int, int]
"""Proportions of a background, width to height, as image models offer them."""


@dataclass(frozen=True)
class AdSize:
    """A size of ads.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        family: Proportions of the background it is cropped from.
    """

    width: int
    height: int
    family: Family

    @property
    def name(self) -> str:
        """Such as "300x250"."""
        return f"{self.width}x{self.height}"


OFFERED = {
    size.name: size
    for size in (
        AdSize(300, 250, (5, 4)),
        AdSize(320, 480, (2, 3)),
        AdSize(336, 280, (5, 4)),
        AdSize(728, 90, (21, 9)),
        AdSize(970, 250, (21, 9)),
        AdSize(160, 600, (9, 21)),
        AdSize(300, 600, (9, 16)),
        AdSize(1080, 1080, (1, 1)),
        AdSize(1080, 1920, (9, 16)),
    )
}
"""The Interactive Advertising Bureau's common display sizes, and those of feeds and stories."""
PATTERN = f"^(({'|'.join(OFFERED)})(,({'|'.join(OFFERED)}))*)?$"
"""Pattern of a list of sizes."""
DEFAULT = ("300x250", "320x480", "336x280")
"""Sizes made by default, in the order in which the frontend shows them."""


def parse_sizes(text: str) -> list[AdSize]:
    """Parse a list of sizes.

    Args:
        text: Names separated by commas, such as "300x250,728x90"; empty means the default sizes.

    Raises:
        InvalidInputError: A size is not offered.
    """
    names = [name.strip().lower().replace("×", "x") for name in text.split(",")] if text.strip() else list(DEFAULT)
    for name in names:
        if name not in OFFERED:
            raise InvalidInputError(
                f"The size {name[:20]!r} is not offered: choose from {', '.join(OFFERED)}.", "UNKNOWN_SIZE"
            )
    return [OFFERED[name] for name in dict.fromkeys(names)]
