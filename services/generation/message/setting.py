"""Setting: elements of a message in sizes that step by a scale, within the areas beside the product."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from services.generation.geometry import Box, Size
from services.generation.message.fonts import Face, Fonts, is_right_to_left
from services.generation.message.layouts import Area, Element, Layout, area_box, layouts_for
from services.generation.message.lines import NOT_FIRST, WIDE, broken, torn_words
from services.generation.message.message import Message

STEP = 1.1
"""From one size of type to the next."""
LARGEST = 0.13
"""Headline over the geometric mean of the sides of an ad."""
LEGIBLE = 11
"""Smallest type in an ad of up to SHOWN_AT pixels on its shorter side; larger ones are shown smaller, on phones."""
SHOWN_AT = 420
SMALL = {"price": 0.62, "call_to_action": 0.5, "legal": 0.34}
"""Type of the other elements over that of the headline."""
LEADING = {"wide": 1.3, "latin": 1.14}
GAP = 0.5
"""Space between elements, over the size of the headline."""
PADDING = {"call_to_action": (0.9, 0.52), "price": (0.6, 0.34)}
"""Space within a button and a badge, across and down, over their type."""
LOGO = 1.25
"""Height of a logo over the size of the headline."""
LEGAL_LINES = 3
PARTS = (1.0, 0.8, 0.65)
"""What becomes of the size of everything else where the headline could be larger."""
AREA_COUNTS = 0.7
"""Exponent of the product's area in the worth of a setting."""
ONE_LINE_MORE = 0.9
"""Impact of a headline with one line more, over that of one of the same size."""
TORN_WORD = 0.7
"""Impact of a headline with a line that ends within what may be a word, over that of one without."""
FLEXIBLE: tuple[Element, ...] = ("logo", "price", "call_to_action", "legal", "headline")
"""What is set first in a row; the last takes the width that is left."""
DROPPED_FIRST: tuple[Element, ...] = ("logo", "price", "call_to_action", "legal")
"""What is left out, in this order, of an ad too small for everything."""


@dataclass(frozen=True)
class Block:
    """An element in its place.

    Attributes:
        element: Which one.
        box: Its rectangle, padding included.
        lines: Its lines of text; none for a logo.
        face: Its face; None for a logo.
        leading: From one baseline to the next, in pixels.
        align: Where its lines stand within the box.
    """

    element: Element
    box: Box
    lines: tuple[str, ...] = ()
    face: Face | None = None
    leading: float = 0.0
    align: str = "start"


@dataclass(frozen=True)
class Setting:
    """A message set for one ad.

    Attributes:
        layout: The layout.
        frame: Part of the ad for the product.
        product: Box of the product.
        blocks: Elements in their places.
        size: Size of the headline's type, in pixels; of the largest type without one.
        dropped: Elements for which there is no room.
    """

    layout: Layout
    frame: Box
    product: Box
    blocks: tuple[Block, ...]
    size: int
    dropped: tuple[Element, ...] = ()

    @property
    def impact(self) -> float:
        """How a headline catches the eye: large, in few lines."""
        lines = next((block.lines for block in self.blocks if block.element == "headline"), ("",))
        return self.size * math.pow(ONE_LINE_MORE, len(lines) - 1) * math.pow(TORN_WORD, torn_words(lines))

    def worth(self, ad: Size) -> float:
        """Return how good a setting is, to choose among layouts: product and headline large, nothing left out."""
        return self.impact * _worth_of_impact(ad, self.product, len(self.dropped))


def _worth_of_impact(ad: Size, product: Box, dropped: int) -> float:
    """Return the worth of a setting over its impact."""
    area = product.width * product.height / (ad.width * ad.height)
    return math.pow(area, AREA_COUNTS) / math.sqrt(ad.width * ad.height) / math.pow(3, dropped)


def legible(ad: Size) -> int:
    """Return the smallest type of an ad, in pixels."""
    return round(LEGIBLE * max(1.0, min(ad.width, ad.height) / SHOWN_AT))


def set_beside(
    message: Message, layout: Layout, ad: Size, frame: Box, product: Box, fonts: Fonts, least: float = 0.0
) -> Setting | None:
    """Set a message beside a product, as large as there is room for.

    Args:
        message: What to set.
        layout: Where.
        ad: Size of the ad.
        frame: Part of the ad for the product.
        product: Box of the product.
        fonts: Fonts.
        least: Settings of no more worth are not looked for.

    Returns:
        The setting; None if not even the headline fits.

    Raises:
        PreconditionError: The fonts are missing.
    """
    wanted = [element for element in ("headline", *DROPPED_FIRST) if _is_wanted(message, element)]
    for kept in _ever_fewer(wanted):
        best: Setting | None = None
        dropped = tuple(element for element in wanted if element not in kept)
        impact = least / _worth_of_impact(ad, product, len(dropped))
        for size in _sizes(ad):
            if size <= impact:
                break  # a smaller headline cannot catch the eye more
            blocks = _set_all(message, layout, ad, product, fonts, kept, size)
            found = Setting(layout, frame, product, blocks, size, dropped) if blocks else None
            if found and found.impact > impact:
                best, impact = found, found.impact
        if best is not None:
            return best
    return None


def _ever_fewer(wanted: Sequence[Element]) -> Iterator[list[Element]]:
    """Return the elements, then fewer and fewer of them."""
    kept = list(wanted)
    yield kept
    for element in DROPPED_FIRST:
        if element in kept and len(kept) > 1:
            kept = [one for one in kept if one != element]
            yield kept


def _is_wanted(message: Message, element: Element) -> bool:
    return message.logo is not None if element == "logo" else bool(getattr(message, element))


def _sizes(ad: Size) -> Iterator[int]:
    """Return sizes of headlines from the largest."""
    largest, smallest = LARGEST * math.sqrt(ad.width * ad.height), legible(ad)
    steps = max(0, math.floor(math.log(largest / smallest, STEP)))
    yield from dict.fromkeys(round(smallest * STEP**step) for step in range(steps, -1, -1))


def _set_all(
    message: Message, layout: Layout, ad: Size, product: Box, fonts: Fonts, kept: Sequence[Element], size: int
) -> tuple[Block, ...] | None:
    """Set everything with a headline of this size, the rest as large as fits; None if it does not fit."""
    for part in PARTS:
        setter = _Setter(message, ad, fonts, size, part, layouts_for(ad).lines)
        blocks: list[Block] = []
        for area in layout.areas:
            of_area = setter.set_area(area, kept, area_box(area, ad, product))
            if of_area is None:
                break
            blocks += of_area
        else:
            return tuple(blocks)
    return None


class _Setter:
    """Sets elements at one size of headline, and a part of the usual size of everything else."""

    def __init__(self, message: Message, ad: Size, fonts: Fonts, size: int, part: float, lines: int) -> None:
        self._message = message
        self._fonts = fonts
        self._size = size
        self._part = part
        self._least = legible(ad)
        self._lines = lines
        self._gap = max(3, round(GAP * size * part))

    def set_area(self, area: Area, kept: Sequence[Element], room: Box) -> list[Block] | None:
        """Set the rows of an area, one below the other in its middle; None if they do not fit."""
        rows = [[element for element in row if element in kept] for row in area.rows]
        set_rows, heights, spare = [], [], room.height + self._gap
        for row in filter(None, rows):
            blocks = self._row(row, area, room) if room.width > 0 else None
            if blocks is None:
                return None
            set_rows.append(blocks)
            heights.append(max(block.box.height for block in blocks))
            spare -= heights[-1] + self._gap
            if spare < 0:
                return None
        placed, top = [], room.top + spare // 2
        for blocks, height in zip(set_rows, heights, strict=True):
            placed += [_moved(block, block.box.left, top + (height - block.box.height) // 2) for block in blocks]
            top += height + self._gap
        return placed

    def _row(self, row: Sequence[Element], area: Area, room: Box) -> list[Block] | None:
        """Set elements beside one another; the headline, else the legal line, takes what the others leave."""
        left_over = room.width - self._gap * (len(row) - 1)
        blocks: dict[Element, Block] = {}
        for element in sorted(row, key=FLEXIBLE.index):
            block = self._block(element, left_over, room.height, area.align)
            if block is None:
                return None
            blocks[element] = block
            left_over -= block.box.width
        at = _start(area.align, room.left, room.right, room.width - left_over)
        placed = []
        for number, element in enumerate(row):
            placed.append(_moved(blocks[element], at, 0))
            at += blocks[element].box.width + self._gap
            if element == "headline" and number < len(row) - 1:  # the rest of the row stands at its other end
                at += left_over
        return placed

    def _block(self, element: Element, width: float, height: float, align: str) -> Block | None:
        """Return an element at the origin, as wide as its longest line; None if it does not fit."""
        if element == "logo":
            return self._logo(width, height)
        text = str(getattr(self._message, element))
        face = self._face(element)
        across, down = PADDING.get(element, (0.0, 0.0))
        padding_across, padding_down = round(across * face.size), round(down * face.size)
        most = {"headline": self._lines, "legal": LEGAL_LINES}.get(element, 1)
        lines = broken(text, width - 2 * padding_across, most, face.width)
        if lines is None:
            return None
        leading = face.size * LEADING["wide" if WIDE.search(text) else "latin"]
        wide = math.ceil(max(face.width(line) for line in lines)) + 2 * padding_across
        tall = math.ceil(leading * (len(lines) - 1) + face.size) + 2 * padding_down
        if tall > height:
            return None
        stands = "middle" if element in PADDING else "end" if align == "start" and is_right_to_left(text) else align
        return Block(element, Box(0, 0, wide, tall), tuple(lines), face, leading, stands)

    def _face(self, element: Element) -> Face:
        if element == "headline":
            return self._fonts.face(self._message.font, "bold", self._size)
        size = max(self._least, round(SMALL[element] * self._part * self._size))
        return self._fonts.face(self._message.font, "medium" if element == "legal" else "bold", size)

    def _logo(self, width: float, height: float) -> Block | None:
        assert self._message.logo is not None, "it is wanted"  # noqa: S101
        tall, wide = self._message.logo.shape[:2]
        scale = min(max(LOGO * self._part * self._size, 1.6 * self._least) / tall, 0.6 * width / wide)
        box = Box(0, 0, max(1, round(wide * scale)), max(1, round(tall * scale)))
        return Block("logo", box) if box.height <= height else None


def hanging(face: Face, line: str, align: str) -> float:
    """Return by how far a line is moved so that its edge looks straight: full-width marks hang out."""
    if align == "start" and line[:1] in "「『（《【":
        return -0.5 * face.size
    if align == "middle" and line[-1:] in NOT_FIRST and WIDE.search(line[-1:] or " "):
        return 0.25 * face.size
    return 0.0


def _start(align: str, left: int, right: int, width: int) -> int:
    return {"start": left, "middle": round((left + right - width) / 2), "end": right - width}[align]


def _moved(block: Block, left: int, top: int) -> Block:
    return replace(block, box=Box(left, top, left + block.box.width, top + block.box.height))
