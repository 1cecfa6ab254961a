"""Which of the objects found in a background stand in the product's way."""

from collections.abc import Iterable

import cv2
import numpy as np

from gateway.pipelines.shadow import shadow_of
from gateway.settings import GatewaySettings
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.runtime.image import rgb, to_message, to_pixels

FOOT_ABOVE, FOOT_BELOW = 0.035, 0.12
"""How far above and below the product's own foot an object may stand to be in its way, in widths of its room."""
RISE = 0.12
"""How far above the product's foot to look for what stands there, as a part of its room's height."""
LEAST_FRINGE = 4
"""How far around an object its traces go with it at least, in pixels."""
LEAST_INSIDE = 0.5
"""How much of an object's width lies in the product's room when it is in the way."""


def standing_place(zone: image_pb2.Box) -> image_pb2.Point:
    """Give a place that is on whatever stands where the product goes: a little above the middle of its foot."""
    rise = round(RISE * (zone.bottom - zone.top))
    return image_pb2.Point(x=(zone.left + zone.right) // 2, y=zone.bottom - rise)


def stands_in_the_way(box: image_pb2.Box, zone: image_pb2.Box) -> bool:
    """Tell whether an object takes the place of the product.

    What merely rises behind it (an arch, a wall) or lies beside it is part of the scene; what stands where the
    product's foot will be is not.

    Args:
        box: The object's.
        zone: The room for the product; it stands on the bottom edge.
    """
    width = zone.right - zone.left
    below = box.bottom - zone.bottom
    inside = min(box.right, zone.right) - max(box.left, zone.left)
    return (
        -FOOT_ABOVE * width <= below <= FOOT_BELOW * width
        and inside >= LEAST_INSIDE * (box.right - box.left)
        and box.right - box.left <= width
    )


def mask_of(
    objects: Iterable[segmentation_pb2.FoundObject],
    zone: image_pb2.Box,
    picture: image_pb2.Image,
    settings: GatewaySettings,
) -> image_pb2.Image | None:
    """Join the masks of the objects in the way, with their shadows and a fringe; None when there is none."""
    masks = [to_pixels(found.mask, settings) for found in objects if stands_in_the_way(found.box, zone)]
    if not masks:
        return None
    pixels = rgb(to_pixels(picture, settings))
    shadows = [shadow_of(pixels, mask) for mask in masks]
    radius = max(LEAST_FRINGE, round(settings.clearing_fringe * max(pixels.shape)))
    wider = cv2.dilate(np.maximum.reduce(masks), np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    return to_message(np.maximum.reduce([np.asarray(wider, np.uint8), *shadows]))
