"""Which of the objects found in a background stand in the product's way."""

from collections.abc import Iterable

import numpy as np

from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from services.runtime.image import to_message, to_pixels
from services.runtime.settings import ImageLimits

FOOT_ABOVE, FOOT_BELOW = 0.035, 0.1
"""How far above and below the product's own foot an object may stand to be in its way, in picture heights."""
LEAST_INSIDE = 0.5
"""How much of an object's width lies in the product's room when it is in the way."""


def stands_in_the_way(box: image_pb2.Box, zone: image_pb2.Box, picture_height: int) -> bool:
    """Tell whether an object takes the place of the product.

    What merely rises behind it (an arch, a wall) or lies beside it is part of the scene; what stands where the
    product's foot will be is not.

    Args:
        box: The object's.
        zone: The room for the product; it stands on the bottom edge.
        picture_height: Of the background.
    """
    rise = box.bottom - zone.bottom
    inside = min(box.right, zone.right) - max(box.left, zone.left)
    return (
        -FOOT_ABOVE * picture_height <= rise <= FOOT_BELOW * picture_height
        and inside >= LEAST_INSIDE * (box.right - box.left)
        and box.right - box.left <= zone.right - zone.left
    )


def mask_of(
    objects: Iterable[segmentation_pb2.FoundObject], zone: image_pb2.Box, picture_height: int, limits: ImageLimits
) -> image_pb2.Image | None:
    """Join the masks of the objects in the way; None when there is none."""
    masks = [to_pixels(found.mask, limits) for found in objects if stands_in_the_way(found.box, zone, picture_height)]
    return to_message(np.maximum.reduce(masks)) if masks else None
