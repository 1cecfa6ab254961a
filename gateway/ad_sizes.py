"""Ad sizes: those of platforms by name, any other by its pixels, and the backgrounds they are cropped from."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.errors import InvalidInputError
from common.platforms import most_bytes, platforms

Family = tuple[int, int]
"""Proportions of a background, width to height, as image models offer them."""
FAMILIES: tuple[Family, ...] = ((21, 9), (16, 9), (3, 2), (5, 4), (1, 1), (4, 5), (2, 3), (9, 16), (9, 21))
SIDES = range(50, 2001)
"""Pixels of a side."""
MAX_SIZES = 40
"""Ads of one request."""
MOST_BYTES_PER_PIXEL = {"png": 3.1, "jpeg": 2.5, "webp": 2.5}
"""Of files of ads, if they show nothing but noise."""
BESIDE_BYTES = 16 << 20
"""Room in a message for backgrounds that are kept, and for texts."""


@dataclass(frozen=True)
class AdSize:
    """A size of ads, in pixels."""

    width: int
    height: int

    @property
    def name(self) -> str:
        """Such as "300x250"."""
        return f"{self.width}x{self.height}"

    @property
    def family(self) -> Family:
        """Proportions of the background it is cropped from."""
        ratio = self.width / self.height
        return min(FAMILIES, key=lambda family: abs(math.log(family[0] / family[1] / ratio)))

    @property
    def most_bytes(self) -> int:
        """The most bytes of its file that every platform takes; 0 if no platform has this size."""
        return most_bytes(self.width, self.height)


DEFAULT = ("300x250", "320x480", "336x280")
"""Sizes made by default, in the order in which the frontend shows them."""
SETS = {name: tuple(rule.name for rule in platform.pictures) for name, platform in platforms().items()}
"""Sizes of each platform."""
OFFERED = tuple(dict.fromkeys(size for name in ("iab", *SETS) for size in SETS[name]))
"""Sizes that some platform has."""
_SIDE = "([5-9][0-9]|[1-9][0-9]{2}|1[0-9]{3}|2000)"
_ITEM = f"({_SIDE}[x×X]{_SIDE}|{'|'.join(SETS)})"
PATTERN = f"^({_ITEM}(,{_ITEM})*)?$"
"""Pattern of a list of sizes."""
PLATFORMS = f"^(({'|'.join(SETS)})(,({'|'.join(SETS)}))*)?$"
"""Pattern of a list of platforms."""
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


def parse_sizes(text: str) -> list[AdSize]:
    """Parse a list of sizes.

    Args:
        text: Platforms and sizes separated by commas, such as "google,728x90"; empty means the default sizes.

    Raises:
        InvalidInputError: A name is unknown, a size is out of bounds, or there are too many.
    """
    names = [name.strip().lower().replace("×", "x") for name in text.split(",")] if text.strip() else list(DEFAULT)
    sizes = list(dict.fromkeys(size for name in names for size in _sizes_of(name)))
    if len(sizes) > MAX_SIZES:
        raise InvalidInputError(f"A request makes at most {MAX_SIZES} ads: ask for fewer sizes.", "TOO_MANY_SIZES")
    return sizes


def check_together(sizes: Sequence[AdSize], file_format: str, max_message_bytes: int) -> None:
    """Check that the ads of a request fit into one message, whatever they show.

    Args:
        sizes: The sizes.
        file_format: "jpeg", "webp" or "png".
        max_message_bytes: Maximum size of a gRPC message, in bytes.

    Raises:
        InvalidInputError: They do not.
    """
    most = int((max_message_bytes - BESIDE_BYTES) / MOST_BYTES_PER_PIXEL[file_format or "jpeg"])
    pixels = sum(size.width * size.height for size in sizes)
    if pixels > most:
        raise InvalidInputError(
            f"These ads have {pixels / 1e6:.0f} million pixels together, and a request as {file_format} makes at most"
            f" {most / 1e6:.0f}: ask for fewer or smaller ones{', or for JPEG' if file_format == 'png' else ''}.",
            "SIZES_TOGETHER",
        )


def parse_platforms(sizes: str, texts: str) -> tuple[str, ...]:
    """Return the platforms whose text fields are wanted, each once.

    Args:
        sizes: List of sizes; the platforms in it count.
        texts: List of further platforms.

    Raises:
        InvalidInputError: A further platform is unknown.
    """
    named = [name.strip().lower() for name in sizes.split(",")]
    further = [name.strip().lower() for name in texts.split(",") if name.strip()]
    for name in further:
        if name not in SETS:
            raise InvalidInputError(f"Platforms are {', '.join(SETS)}, not {name[:20]!r}.", "UNKNOWN_PLATFORM")
    return tuple(name for name in dict.fromkeys((*named, *further)) if name in SETS)


def _sizes_of(name: str) -> Iterator[AdSize]:
    for size in SETS.get(name, (name,)):
        sides = _SIZE.fullmatch(size)
        if sides is None:
            raise InvalidInputError(
                f"The size {name[:20]!r} is not offered: write a platform ({', '.join(SETS)}) or pixels such as"
                f" {DEFAULT[0]}.",
                "UNKNOWN_SIZE",
            )
        yield _checked(AdSize(int(sides[1]), int(sides[2])))


def _checked(size: AdSize) -> AdSize:
    if size.width not in SIDES or size.height not in SIDES:
        raise InvalidInputError(
            f"The size {size.name} is out of bounds: a side has {SIDES[0]} to {SIDES[-1]} pixels.", "SIZE_BOUNDS"
        )
    return size
