"""Which of the objects found in a background stand in the product's way."""

from collections.abc import Iterable

import cv2
import numpy as np

from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.runtime.image import to_message, to_pixels
from services.runtime.settings import ImageLimits

FOOT_ABOVE, FOOT_BELOW = 0.035, 0.12
"""How far above and below the product's own foot an object may stand to be in its way, in widths of its room."""
RISE = 0.12
"""How far above the product's foot to look for what stands there, as a part of its room's height."""
FRINGE, LEAST_FRINGE = 0.02, 4
"""How far around an object its traces go with it: as a part of the longer side, and at least in pixels."""
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
    objects: Iterable[segmentation_pb2.FoundObject], zone: image_pb2.Box, limits: ImageLimits
) -> image_pb2.Image | None:
    """Join the masks of the objects in the way, with a fringe for their traces; None when there is none."""
    masks = [to_pixels(found.mask, limits) for found in objects if stands_in_the_way(found.box, zone)]
    if not masks:
        return None
    joined = np.maximum.reduce(masks)
    radius = max(LEAST_FRINGE, round(FRINGE * max(joined.shape)))
    wider = cv2.dilate(joined, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))
    return to_message(np.asarray(wider, np.uint8))
