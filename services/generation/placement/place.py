"""Where the product goes in a picture, once it is known what is in it.

In the place of the stand-in that was asked for; else on a surface, clear of things; else where the picture is calmest.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from common.imaging.codec import Pixels
from services.generation.geometry import Box, Size
from services.generation.placement.calmest import find_placement
from services.generation.placement.found import Found, working_size
from services.generation.placement.light_estimation import find_light
from services.generation.placement.on_surface import WORKING_SIDE, place_on_surface
from services.generation.placement.placement import Placement
from services.generation.stance import Stance

MAX_OFF_CENTRE = 0.25
"""How far from the centre a stand-in may be, as a fraction of the width of the picture."""
AROUND_FOOT = 0.3
"""How far above and below the foot of the product a thing in its way may stand, in widths of the product's box."""
MIN_OVERLAP = 0.5
"""Minimum part of the width of a thing in the way within the product's box."""
FROM_ABOVE, LEVEL = 0.55, 0.3
"""Angles at which a camera looks down, in radians: more than the first is from above, less than the second level."""

NO_SURFACE = "No free surface to stand on was found in the picture: the product stands where the picture is calmest."
SEEN_LEVEL = "The picture is taken from above: one that is taken at the height of the product suits it better."
SEEN_FROM_ABOVE = "The picture is taken from the side: one that is taken from above suits a product that lies."


@dataclass(frozen=True)
class Placed:
    """Where the product goes.

    Attributes:
        placement: The placement.
        removed: Indices of the things that must be removed for it.
        notes: What does not fit, for people.
    """

    placement: Placement
    removed: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def place_product(picture: Pixels, found: Found, default: Placement, ratio: float, stance: Stance) -> Placed:
    """Place the product in a picture.

    Args:
        picture: (H, W, 3).
        found: What was found in it.
        default: Where it would go if nothing were there, and whether a stand-in was asked for.
        ratio: Width over height of the product.
        stance: How the product is shown.
    """
    size = Size(picture.shape[1], picture.shape[0])
    boxes = [thing.box for thing in found.things]
    if default.stand_in and (number := _stand_in(boxes, size)) is not None:
        return Placed(_in_place_of(boxes[number], default, size, ratio), (number,))
    reduced = found.reduced(working_size(size, WORKING_SIDE))
    place = place_on_surface(size, reduced, ratio, stance)
    if place is None:
        return _at_the_calmest_place(picture, found, default, ratio)
    light = find_light(picture, place.surface, reduced.things, place.pitch) or default.light
    return Placed(
        replace(default, box=place.box, light=light, pitch=place.pitch), place.removed, _notes(place.pitch, stance)
    )


def _at_the_calmest_place(picture: Pixels, found: Found, default: Placement, ratio: float) -> Placed:
    taken = np.zeros(picture.shape[:2], np.bool_)
    for thing in found.things:
        taken |= thing.mask
    calm = replace(default, box=find_placement(picture, ratio, taken).box)
    boxes = [thing.box for thing in found.things]
    in_the_way = tuple(number for number, box in enumerate(boxes) if is_in_the_way(box, calm.box))
    size = Size(picture.shape[1], picture.shape[0])
    notes = (NO_SURFACE,) if found.things else ()  # in an empty picture, any place will do
    return Placed(_moved(calm, [boxes[number] for number in in_the_way], size), in_the_way, notes)


def _notes(pitch: float, stance: Stance) -> tuple[str, ...]:
    if pitch > FROM_ABOVE and stance != "lying":
        return (SEEN_LEVEL,)
    if pitch < LEVEL and stance == "lying":
        return (SEEN_FROM_ABOVE,)
    return ()


def _stand_in(boxes: Iterable[Box], picture: Size) -> int | None:
    """Return the first thing that may be the stand-in: whole, near the centre, its foot in the lower half."""

    def may_be(box: Box) -> bool:
        middle = (box.left + box.right) / 2 / picture.width
        is_whole = box.left > 0 and box.right < picture.width and picture.height / 2 < box.bottom < picture.height
        return is_whole and abs(middle - 0.5) <= MAX_OFF_CENTRE

    return next((number for number, box in enumerate(boxes) if may_be(box)), None)


def _in_place_of(stand_in: Box, default: Placement, picture: Size, ratio: float) -> Placement:
    """Return a placement on the foot of the stand-in, as large as it."""
    size = math.sqrt(stand_in.width * stand_in.height)
    middle = (stand_in.left + stand_in.right) / 2
    half = min(size * math.sqrt(ratio) / 2, middle, picture.width - middle)
    height = min(2 * half / ratio, stand_in.bottom)
    half = height * ratio / 2
    left, right = math.floor(middle - half), math.ceil(middle + half)
    return replace(
        default,
        box=Box(max(0, left), stand_in.bottom - max(1, round(height)), min(right, picture.width), stand_in.bottom),
    )


def is_in_the_way(thing: Box, place: Box) -> bool:
    """Return whether a thing stands where the product must go.

    A thing that merely rises behind the product (an arch, a wall) or lies beside it is part of the scene. One that
    stands where the foot of the product will be is not.

    Args:
        thing: Box of the thing.
        place: Box of the product; it stands on the bottom edge.
    """
    overlap = min(thing.right, place.right) - max(thing.left, place.left)
    return (
        abs(thing.bottom - place.bottom) <= AROUND_FOOT * place.width
        and overlap >= MIN_OVERLAP * thing.width
        and thing.width <= place.width
    )


def _moved(default: Placement, in_the_way: list[Box], picture: Size) -> Placement:
    """Move the default placement to the foot of the foremost thing in its way, which is known to stand on the floor."""
    if not in_the_way:
        return default
    front, box = max(in_the_way, key=lambda one: one.bottom), default.box
    middle = (front.left + front.right) / 2
    half = min(box.width / 2, middle, picture.width - middle)
    top = max(0, box.top + front.bottom - box.bottom)
    return replace(default, box=Box(math.floor(middle - half), top, math.ceil(middle + half), front.bottom))
