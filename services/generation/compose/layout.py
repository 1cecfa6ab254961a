"""Layout: from the box for the product in a background to its box in a creative."""

from services.generation.geometry import Arrangement, Box, Crop, MessageZone, Size

MARGIN = 0.05
"""Space between the product and the edges of a creative, as a fraction of its size."""
LOWEST_STAND = 0.93
"""Lowest position of the foot of the product, from the top of a creative."""
CLOSE = 0.45
"""Part of a crop that the product takes along one side, if the background has the pixels for it."""
ROOMY = 0.8
"""A crop has room for a box of at most this fraction of its height."""

STANDS_AT = 0.82
"""Position of the foot of the product in a rendered set, from the top of a creative."""
TALL, WIDE = 0.68, 0.7
"""Height and width of the product in a rendered set, as fractions of the creative's."""
SHARE = 0.52
"""Part of a creative that the product has beside, above or below a message."""


def free_box(product: Size, ad: Size, zone: MessageZone, *, stands: bool) -> Box:
    """Return the box of the product in a set that is rendered around it.

    Args:
        product: Size of the cutout; its proportions are kept.
        ad: Size of the creative.
        zone: Where room is left for words.
        stands: Whether the product stands on something; else it hangs or lies in the middle.
    """
    across = SHARE if zone in ("left", "right") else 1.0
    down = SHARE if zone in ("above", "below") else 1.0
    fit = min(
        TALL * ad.height * min(1.0, down * 1.35) / product.height,
        WIDE * ad.width * min(1.0, across * 1.35) / product.width,
    )
    width, height = max(1, round(product.width * fit)), max(1, round(product.height * fit))
    middle = ad.width * {"left": 1 - SHARE / 2, "right": SHARE / 2}.get(zone, 0.5)
    if stands:
        foot = ad.height * {"above": 0.9, "below": SHARE + 0.06}.get(zone, STANDS_AT)
    else:
        foot = ad.height * {"above": 1 - SHARE / 2, "below": SHARE / 2}.get(zone, 0.5) + height / 2
    left, top = round(middle - width / 2), round(foot) - height
    return Box(left, top, left + width, top + height)


def box_in(frame: Box, product: Size, fill: float, *, stands: bool) -> Box:
    """Return the box of the product in a part of a set that is rendered around it.

    Args:
        frame: The part.
        product: Size of the cutout; its proportions are kept.
        fill: How much of the part it takes at most, along one side.
        stands: Whether the product stands on something; else it hangs or lies in the middle.
    """
    fit = fill * min(frame.width / product.width, frame.height / product.height)
    width, height = max(1, round(product.width * fit)), max(1, round(product.height * fit))
    left = round((frame.left + frame.right - width) / 2)
    top = frame.bottom - height if stands else round((frame.top + frame.bottom - height) / 2)
    return Box(left, top, left + width, top + height)


def arranged(box: Box, arrangement: Arrangement, ad: Size) -> Box:
    """Return the box of a product that is moved and scaled; it keeps its proportions and stays within the creative."""
    if arrangement == Arrangement():
        return box
    fit = min(arrangement.scale, ad.width / box.width, ad.height / box.height)
    width, height = max(1, round(box.width * fit)), max(1, round(box.height * fit))
    middle, foot = (box.left + box.right) / 2 + arrangement.right * ad.width, box.bottom + arrangement.down * ad.height
    left = round(_clamp(middle - width / 2, ad.width - width))
    top = round(_clamp(foot - height, ad.height - height))
    return Box(left, top, left + width, top + height)


def crop_for(background: Size, box: Box, ad: Size, frame: Box | None = None) -> Crop:
    """Return the largest crop of the proportions of a creative, centred on the product, that does not show it small.

    It shows as much of the box as possible; if the box is too tall, its foot. It is never enlarged to show more of the
    product.

    Args:
        background: Size of the background.
        box: Box for the product, in background pixels.
        ad: Size of the creative.
        frame: Part of the creative in which the product belongs, as far as the background reaches; None: its middle.
    """
    width = min(background.width, background.height * ad.aspect_ratio)
    height = width / ad.aspect_ratio
    across, down = (CLOSE, CLOSE) if frame is None else (frame.width / ad.width, frame.height / ad.height)
    closer = max(box.width / (across * width), box.height / (down * height), ad.width / width)
    width, height = width * min(1.0, closer), height * min(1.0, closer)
    middle = 0.5 if frame is None else (frame.left + frame.right) / 2 / ad.width
    left = (box.left + box.right) / 2 - middle * width
    if frame is None:
        # Keep the height at which the product stands in the background, unless that leaves too little below its foot.
        fits = box.height <= ROOMY * height
        foot = min(box.bottom / background.height if fits else 1, LOWEST_STAND)
    else:
        foot = frame.bottom / ad.height
    top = box.bottom - height * foot
    return Crop(_clamp(left, background.width - width), _clamp(top, background.height - height), width, height)


def product_box(product: Size, box: Box, crop: Crop, ad: Size, frame: Box | None = None) -> Box:
    """Return the box of the product in a creative: on the foot of its box, as large as box and margins allow.

    Args:
        product: Size of the cutout; its proportions are kept.
        box: Box for the product, in background pixels.
        crop: Part of the background that the creative shows.
        ad: Size of the creative.
        frame: Part of the creative in which it belongs; None: all but the margins.
    """
    if frame is None:
        edges = (ad.width * MARGIN, ad.height * MARGIN, ad.width * (1 - MARGIN), ad.height * LOWEST_STAND)
    else:
        edges = (frame.left, frame.top, frame.right, frame.bottom)
    left_edge, top_edge, right_edge, bottom_edge = edges
    scale = ad.width / crop.width
    foot = _clamp((box.bottom - crop.top) * scale, bottom_edge, top_edge + 1)
    head = min(max((box.top - crop.top) * scale, top_edge), foot - 1)
    available_width = min(box.width * scale, right_edge - left_edge)
    fit = min(available_width / product.width, (foot - head) / product.height)
    width, height = max(1, round(product.width * fit)), max(1, round(product.height * fit))
    middle = ((box.left + box.right) / 2 - crop.left) * scale
    left = round(_clamp(middle - width / 2, right_edge - width, left_edge))
    top = max(0, round(foot) - height)
    return Box(left, top, left + width, top + height)


def _clamp(value: float, maximum: float, minimum: float = 0.0) -> float:
    return max(minimum, min(value, maximum))
