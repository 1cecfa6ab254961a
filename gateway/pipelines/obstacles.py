"""Obstacles: which objects in a background stand where the product must go, and where the product goes then."""

from collections.abc import Iterable, Sequence

from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2

FOOT_ABOVE, FOOT_BELOW = 0.035, 0.12
"""How far above and below the foot of the product an obstacle may stand, in widths of the product's box."""
FOOT_ESTIMATED = 0.3
"""The same if the box of the product is only an estimate."""
RISE = 0.12
"""How far above the foot of the product to look for an object, as a fraction of the height of its box."""
MAX_OFF_CENTRE = 0.25
"""How far from the centre a stand-in may be, as a fraction of the width of the picture."""
MIN_OVERLAP = 0.5
"""Minimum part of the width of an obstacle within the product's box."""


def standing_point(box: image_pb2.Box) -> image_pb2.Point:
    """Return a point on whatever stands where the product goes: slightly above the middle of its foot."""
    rise = round(RISE * (box.bottom - box.top))
    return image_pb2.Point(x=(box.left + box.right) // 2, y=box.bottom - rise)


def find_obstacles(
    objects: Iterable[segmentation_pb2.FoundObject], placement: generation_pb2.Placement, picture: image_pb2.RawPixels
) -> list[image_pb2.Region]:
    """Return the objects that stand where the product must go.

    Args:
        objects: Objects in the background, best first.
        placement: Where the product goes.
        picture: The background.
    """
    regions = [found.region for found in objects]
    if placement.stand_in:
        stand_ins = [region for region in regions if _may_be_stand_in(region.box, picture)]
        if stand_ins:
            return stand_ins[:1]
    return [region for region in regions if is_in_the_way(region.box, placement)]


def _may_be_stand_in(box: image_pb2.Box, picture: image_pb2.RawPixels) -> bool:
    """Return whether an object may be the stand-in: whole, near the centre, its foot in the lower half."""
    middle = (box.left + box.right) / 2 / picture.width
    return (
        box.left > 0
        and box.right < picture.width
        and picture.height / 2 < box.bottom < picture.height
        and abs(middle - 0.5) <= MAX_OFF_CENTRE
    )


def is_in_the_way(obstacle: image_pb2.Box, placement: generation_pb2.Placement) -> bool:
    """Return whether an object stands where the product must go.

    An object that merely rises behind the product (an arch, a wall) or lies beside it is part of the scene. One that
    stands where the foot of the product will be is not.

    Args:
        obstacle: Box of the object.
        placement: Where the product goes; it stands on the bottom edge of its box.
    """
    box = placement.box
    width = box.right - box.left
    above, below = (FOOT_ESTIMATED, FOOT_ESTIMATED) if placement.estimated else (FOOT_ABOVE, FOOT_BELOW)
    foot_difference = obstacle.bottom - box.bottom
    overlap = min(obstacle.right, box.right) - max(obstacle.left, box.left)
    return (
        -above * width <= foot_difference <= below * width
        and overlap >= MIN_OVERLAP * (obstacle.right - obstacle.left)
        and obstacle.right - obstacle.left <= width
    )


def move_to_obstacle(
    obstacles: Sequence[image_pb2.Region], placement: generation_pb2.Placement, picture: image_pb2.RawPixels
) -> generation_pb2.Placement:
    """Move an estimated placement to where an obstacle stood, since its foot is known to be on the floor.

    Args:
        obstacles: Objects that stand where the product must go.
        placement: Where the product goes.
        picture: The background.
    """
    if not obstacles or not placement.estimated:
        return placement
    front, box = max((region.box for region in obstacles), key=lambda one: one.bottom), placement.box
    middle = (front.left + front.right) // 2
    half = min((box.right - box.left) // 2, middle, picture.width - middle)
    top = max(0, box.top + front.bottom - box.bottom)
    moved = generation_pb2.Placement()
    moved.CopyFrom(placement)
    moved.box.CopyFrom(image_pb2.Box(left=middle - half, top=top, right=middle + half, bottom=front.bottom))
    return moved
