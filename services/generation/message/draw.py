"""Drawing of a message: words move to where they can be read, or get a scrim; then shapes, words and logo are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from common.imaging.codec import Pixels
from services.generation.geometry import Box, Size
from services.generation.message.colours import (
    CONTRAST,
    INK,
    WHITE,
    Reading,
    contrast,
    label_on,
    least_contrast,
    luminance,
    luminances,
    reading_on,
)
from services.generation.message.fonts import FINER, MIDDLE_OF_TYPE, Face
from services.generation.message.layouts import Area, Element, area_box
from services.generation.message.message import Colour, Message
from services.generation.message.setting import Block, Setting, hanging
from services.generation.srgb import Light, to_linear

STANDS_OUT = 1.3
"""Contrast between a button, or a logo, and the picture, below which it gets an outline or a plate."""
FADE = 0.22
"""Length over which a scrim fades, as a fraction of the ad."""
PLACES = 9
"""Heights that are tried for words beside the product."""
MOVED = 0.15
"""Opacity of a scrim that moving words all the way up or down must save to be worth it."""
ROUND = 0.5
"""Radius of the corners of a button over its height: 0.5 is a pill."""


@dataclass(frozen=True)
class Ground:
    """A picture made ready for words.

    Attributes:
        picture: (H, W, 3), linear, with the scrims.
        readings: How each element is made legible.
        setting: Where the words stand in the end.
    """

    picture: Light
    readings: Mapping[Element, Reading]
    setting: Setting


def prepared(picture: Light, setting: Setting) -> Ground:
    """Move words to where they can be read; darken or lighten the picture there as far as they still need it.

    Args:
        picture: The ad without the product, (H, W, 3), linear.
        setting: Where words are to stand.
    """
    readings: dict[Element, Reading] = {}
    placed: list[Block] = []
    for area in setting.layout.areas:
        blocks = [block for block in setting.blocks if block.element in area.elements]
        if not blocks:
            continue
        blocks, reading = _legible(picture, area, blocks, setting.product)
        placed += blocks
        around = _around([block.box for block in blocks], picture)
        if reading.scrim:
            mask = _scrim(area.side, around, Size(picture.shape[1], picture.shape[0])) * min(1.0, reading.scrim)
            veil = np.array(reading.veil, np.float32)
            picture = picture * (1 - mask[..., None]) + veil * mask[..., None]
        for block in blocks:
            readings[block.element] = reading
    return Ground(picture, readings, replace(setting, blocks=tuple(placed)))


def _legible(picture: Light, area: Area, blocks: list[Block], product: Box) -> tuple[list[Block], Reading]:
    """Return the blocks of an area, up or down where they need least of a scrim, and how they read there."""
    stays = _reading(picture, blocks)
    if area.side not in ("left", "right") or not stays.scrim:
        return blocks, stays
    room = area_box(area, Size(picture.shape[1], picture.shape[0]), product)
    up = room.top - min(block.box.top for block in blocks)
    down = room.bottom - max(block.box.bottom for block in blocks)
    found, least = (blocks, stays), stays.scrim
    for offset in np.linspace(min(up, 0), max(down, 0), PLACES):
        moved = [_lower(block, round(float(offset))) for block in blocks]
        reading = _reading(picture, moved)
        cost = reading.scrim + MOVED * abs(float(offset)) / max(1, down, -up)
        if cost < least:
            found, least = (moved, reading), cost
    return found


def _reading(picture: Light, blocks: Sequence[Block]) -> Reading:
    """Return how words read; a button has a ground of its own."""
    boxes = [block.box for block in blocks if block.element != "call_to_action"] or [block.box for block in blocks]
    return reading_on([picture[box.top : box.bottom, box.left : box.right] for box in boxes])


def _lower(block: Block, pixels: int) -> Block:
    box = block.box
    return replace(block, box=Box(box.left, box.top + pixels, box.right, box.bottom + pixels))


def _around(boxes: list[Box], picture: Light) -> Box:
    height, width = picture.shape[:2]
    pad = 2
    return Box(
        max(0, min(box.left for box in boxes) - pad),
        max(0, min(box.top for box in boxes) - pad),
        min(width, max(box.right for box in boxes) + pad),
        min(height, max(box.bottom for box in boxes) + pad),
    )


def _scrim(side: str, words: Box, ad: Size) -> Light:
    """Return the shape of a scrim: whole below the words, from there to the edge, and fading towards the product."""
    along = ad.width if side in ("left", "right") else ad.height
    start, end = (words.left, words.right) if side in ("left", "right") else (words.top, words.bottom)
    at = np.arange(along, dtype=np.float32)
    fade = FADE * along
    towards = at - end if side in ("left", "above") else start - at
    shape = 1 - np.clip(towards / fade, 0, 1)
    shape = shape * shape * (3 - 2 * shape)
    if side in ("left", "right"):
        return np.broadcast_to(shape[None, :], (ad.height, ad.width)).copy()
    return np.broadcast_to(shape[:, None], (ad.height, ad.width)).copy()


def draw(pixels: Pixels, message: Message, ground: Ground) -> Pixels:
    """Draw words and logo on a finished picture.

    Args:
        pixels: The ad with the product, (H, W, 3), sRGB.
        message: What is set.
        ground: What `prepared` made of the picture.
    """
    image = Image.fromarray(pixels)
    for block in ground.setting.blocks:
        words = ground.readings[block.element].colour
        behind = ground.picture[block.box.top : block.box.bottom, block.box.left : block.box.right]
        if block.element == "logo":
            _paste_logo(image, message, block.box, behind)
        elif block.element in ("call_to_action", "price"):
            words = _shape(image, message, block, words, behind)
            _write(image, block, words)
        else:
            _write(image, block, words)
    return np.asarray(image)


def _write(image: Image.Image, block: Block, colour: Colour) -> None:
    face = block.face
    assert face is not None, "only logos have none"  # noqa: S101
    middle = (block.box.top + block.box.bottom) / 2 - block.leading * (len(block.lines) - 1) / 2
    for number, line in enumerate(block.lines):
        baseline = middle + number * block.leading + MIDDLE_OF_TYPE * face.size
        left = _left(block, face, line) + hanging(face, line, block.align)
        face.draw(image, left, baseline, line, colour)


def _left(block: Block, face: Face, line: str) -> float:
    spare = block.box.width - face.width(line)
    return block.box.left + {"start": 0.0, "middle": spare / 2, "end": spare}[block.align]


def _shape(image: Image.Image, message: Message, block: Block, words: Colour, behind: Light) -> Colour:
    """Draw a button or a badge; return the colour of its label."""
    fill = message.primary if block.element == "call_to_action" else message.secondary
    line = max(1.0, block.box.height / 22)
    if fill is None and block.element == "price":
        _pill(image, block.box, words, line)
        return words
    ground = float(np.median(luminances(behind)))
    fill = fill or max((words, _opposite(words)), key=lambda one: (_stands_out(one, ground), one == words))
    _pill(image, block.box, fill)
    if not _stands_out(fill, ground):
        _pill(image, block.box, max((words, _opposite(words)), key=lambda one: contrast(luminance(one), ground)), line)
    return label_on(fill)


def _stands_out(colour: Colour, ground: float) -> bool:
    return contrast(luminance(colour), ground) >= STANDS_OUT


def _opposite(colour: Colour) -> Colour:
    return INK if luminance(colour) > 0.5 else WHITE


def _pill(image: Image.Image, box: Box, colour: Colour, line: float = 0.0, rounding: float = ROUND) -> None:
    """Draw a rounded shape with smooth edges: filled, or as a line of some pixels."""
    mask = Image.new("L", (box.width * FINER, box.height * FINER))
    radius = rounding * box.height * FINER
    outer = (0, 0, mask.width - 1, mask.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(outer, radius, fill=255)
    if line:
        inset = line * FINER
        inner = (inset, inset, mask.width - 1 - inset, mask.height - 1 - inset)
        ImageDraw.Draw(mask).rounded_rectangle(inner, radius - inset, fill=0)
    image.paste(colour, (box.left, box.top), mask.reduce(FINER))


def _paste_logo(image: Image.Image, message: Message, box: Box, behind: Light) -> None:
    assert message.logo is not None, "it is set"  # noqa: S101
    logo = Image.fromarray(message.logo).resize((box.width, box.height), Image.Resampling.LANCZOS)
    pixels = np.asarray(logo)
    visible = pixels[..., 3] > 128
    shade = float(np.median(luminances(to_linear(pixels[..., :3])[visible]))) if visible.any() else 0.0
    if visible.mean() < 0.9 and contrast(shade, float(np.median(luminances(behind)))) < STANDS_OUT:
        pad = max(2, round(0.2 * box.height))
        plate = (255, 255, 255) if shade < 0.4 else (20, 20, 22)
        edges = Box(box.left - pad, box.top - pad, box.right + pad, box.bottom + pad)
        _pill(image, edges, plate, rounding=pad / edges.height)
    image.paste(logo, (box.left, box.top), logo)


def flaws(ground: Ground) -> list[str]:
    """Return what is wrong with a message as drawn, for people: contrast that is too low, and what was left out."""
    found = []
    for block in ground.setting.blocks:
        if block.element in ("headline", "legal"):
            behind = ground.picture[block.box.top : block.box.bottom, block.box.left : block.box.right]
            ratio = least_contrast(ground.readings[block.element].colour, behind)
            if ratio < CONTRAST:
                found.append(f"the {block.element} is hard to read (contrast {ratio:.1f})")
    names = {"call_to_action": "button"}
    if ground.setting.dropped:
        left_out = ", ".join(names.get(element, element) for element in ground.setting.dropped)
        found.append(f"there is no room for: {left_out}")
    return found
