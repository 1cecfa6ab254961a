"""Layout: from the box for the product in a background to its box in a creative."""

from services.generation.geometry import Box, Crop, Size

MARGIN = 0.05
"""Space between the product and the edges of a creative, as a fraction of its size."""
LOWEST_STAND = 0.93
"""Lowest position of the foot of the product, from the top of a creative."""
ROOMY = 0.8
"""A crop has room for a box of at most this fraction of its height."""


def crop_for(background: Size, box: Box, ad: Size) -> Crop:
    """Return the largest crop of the proportions of a creative, centred on the product.

    It shows as much of the box as possible; if the box is too tall, its foot.

    Args:
        background: Size of the background.
        box: Box for the product, in background pixels.
        ad: Size of the creative.
    """
    width = min(background.width, background.height * ad.aspect_ratio)
    height = width / ad.aspect_ratio
    left = (box.left + box.right) / 2 - width / 2
    # Keep the height at which the product stands in the background, unless that leaves too little below its foot.
    fits = box.height <= ROOMY * height
    top = box.bottom - height * min(box.bottom / background.height if fits else 1, LOWEST_STAND)
    return Crop(_clamp(left, background.width - width), _clamp(top, background.height - height), width, height)


def product_box(product: Size, box: Box, crop: Crop, ad: Size) -> Box:
    """Return the box of the product in a creative: on the foot of its box, as large as box and margins allow.

    Args:
        product: Size of the cutout; its proportions are kept.
        box: Box for the product, in background pixels.
        crop: Part of the background that the creative shows.
        ad: Size of the creative.
    """
    scale = ad.width / crop.width
    foot = min((box.bottom - crop.top) * scale, ad.height * LOWEST_STAND)
    head = max((box.top - crop.top) * scale, ad.height * MARGIN)
    available_width = min(box.width * scale, ad.width * (1 - 2 * MARGIN))
    fit = min(available_width / product.width, (foot - head) / product.height)
    width, height = max(1, round(product.width * fit)), max(1, round(product.height * fit))
    middle = ((box.left + box.right) / 2 - crop.left) * scale
    left = round(_clamp(middle - width / 2, ad.width * (1 - MARGIN) - width, ad.width * MARGIN))
    top = max(0, round(foot) - height)
    return Box(left, top, left + width, top + height)


def _clamp(value: float, maximum: float, minimum: float = 0.0) -> float:
    return max(minimum, min(value, maximum))
