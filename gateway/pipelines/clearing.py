"""Which of the objects found in a background stand in the product's way, and where the product goes then."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from gateway.pipelines.shadow import shadow_of
from gateway.settings import GatewaySettings
from productimage.generation.v1 import generation_pb2
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.runtime.image import rgb, to_message, to_pixels

FOOT_ABOVE, FOOT_BELOW = 0.035, 0.12
"""How far above and below the product's own foot an object may stand to be in its way, in widths of its room."""
FOOT_NEAR = 0.3
"""The same where the product's place is only an estimate."""
RISE = 0.12
"""How far above the product's foot to look for what stands there, as a part of its room's height."""
LEAST_FRINGE = 4
"""How far around an object its traces go with it at least, in pixels."""
FROM_MIDDLE = 0.25
"""How far from the picture's middle an object may be that was asked for there, as a part of the picture's width."""
LEAST_INSIDE = 0.5
"""How much of an object's width lies in the product's room when it is in the way."""


def standing_place(zone: image_pb2.Box) -> image_pb2.Point:
    """Give a place that is on whatever stands where the product goes: a little above the middle of its foot."""
    rise = round(RISE * (zone.bottom - zone.top))
    return image_pb2.Point(x=(zone.left + zone.right) // 2, y=zone.bottom - rise)


def obstacles(
    objects: Iterable[segmentation_pb2.FoundObject], placement: generation_pb2.Placement, picture: image_pb2.Image
) -> list[segmentation_pb2.FoundObject]:
    """Give the objects that take the place of the product."""
    if placement.stand_in:
        asked_for = [found for found in objects if _may_be_asked_for(found.box, picture.raw)]
        if asked_for:
            return asked_for[:1]
    return [found for found in objects if stands_in_the_way(found.box, placement)]


def _may_be_asked_for(box: image_pb2.Box, picture: image_pb2.RawPixels) -> bool:
    """Tell whether an object may be the one that was asked for: whole, in the middle, its foot in the lower half."""
    middle = (box.left + box.right) / 2 / picture.width
    return (
        box.left > 0
        and box.right < picture.width
        and picture.height / 2 < box.bottom < picture.height
        and abs(middle - 0.5) <= FROM_MIDDLE
    )


def stands_in_the_way(box: image_pb2.Box, placement: generation_pb2.Placement) -> bool:
    """Tell whether an object takes the place of the product.

    What merely rises behind it (an arch, a wall) or lies beside it is part of the scene; what stands where the
    product's foot will be is not.

    Args:
        box: The object's.
        placement: Where the product goes; it stands on the bottom edge of the zone.
    """
    zone = placement.zone
    width = zone.right - zone.left
    above, under = (FOOT_NEAR, FOOT_NEAR) if placement.estimated else (FOOT_ABOVE, FOOT_BELOW)
    below = box.bottom - zone.bottom
    inside = min(box.right, zone.right) - max(box.left, zone.left)
    return (
        -above * width <= below <= under * width
        and inside >= LEAST_INSIDE * (box.right - box.left)
        and box.right - box.left <= width
    )


def placement_for(
    in_the_way: Sequence[segmentation_pb2.FoundObject], placement: generation_pb2.Placement, picture: image_pb2.Image
) -> generation_pb2.Placement:
    """Give the product the place of what stood there, where its own was only an estimate: its foot is on the floor."""
    if not in_the_way or not placement.estimated:
        return placement
    front = max((found.box for found in in_the_way), key=lambda box: box.bottom)
    zone = placement.zone
    middle = (front.left + front.right) // 2
    half = min((zone.right - zone.left) // 2, middle, picture.raw.width - middle)
    top = max(0, zone.top + front.bottom - zone.bottom)
    moved = generation_pb2.Placement()
    moved.CopyFrom(placement)
    moved.zone.CopyFrom(image_pb2.Box(left=middle - half, top=top, right=middle + half, bottom=front.bottom))
    return moved


def mask_of(
    in_the_way: Sequence[segmentation_pb2.FoundObject], picture: image_pb2.Image, settings: GatewaySettings
) -> image_pb2.Image:
    """Join the masks of objects, with their shadows and a fringe."""
    masks = [to_pixels(found.mask, settings) for found in in_the_way]
    pixels = rgb(to_pixels(picture, settings))
    shadows = [shadow_of(pixels, mask) for mask in masks]
    radius = max(LEAST_FRINGE, round(settings.clearing_fringe * max(pixels.shape)))
    wider = cv2.dilate(np.maximum.reduce(masks), np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    return to_message(np.maximum.reduce([np.asarray(wider, np.uint8), *shadows]))
