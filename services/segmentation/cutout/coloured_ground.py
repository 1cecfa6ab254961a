"""Openings before a ground of many colours: a forest seen through the wheels of a bicycle.

Where the ground has many colours and the rest of the product lacks them, several regions do not have them by chance:
they are open, however large they are. Thin bars in them, such as spokes, stay.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.bars import thin_bars
from services.segmentation.cutout.holes import outside

SIDE = 512
"""Longer side at which regions are looked for, in pixels."""
BARS = 7
"""Side of the median that takes thin bars out of the picture, in pixels."""
BINS = (10, 20, 20)
"""Histogram bins of L, a and b."""
NEAR = 0.35
"""How far around the product the ground is looked at, as a fraction of its size."""
MANY = 40.0
"""Minimum number of colours of the ground: bins that would hold it in equal parts."""
COLOURFUL = 8.0
"""Minimum mean chroma (CIE Lab) of a region: greys are alike by chance."""
ROUNDS = 6
LIKELY, SURE = 0.5, 0.7
"""Minimum share of the ground among both, by a pixel's colour: in the first half of the rounds, and in the second."""
LIKE_GROUND, TIMES_PRODUCT = 0.4, 5.0
"""Minimum similarity of a region to the ground (histogram intersection), and over that to the rest of the product."""
SEVERAL = 2
"""How many regions there must be: one may be alike by chance."""
FIRST, SMALLEST = 0.01, 0.002
"""Minimum area of a region, as a fraction of the product: of those, and of others beside them."""
ENCLOSED = 0.9
"""Minimum part of a region's rim that is product."""
LEFT = 0.25
"""Part of the product that must be left."""
MOSTLY_GROUND = 0.8
"""Minimum mean share of the ground, by colour, of a smaller region beside open ones: it has few of the colours."""
STANDS_OUT = 8.0
"""How much darker or lighter a bar is than what is beside it, at least (L of 255)."""
THICK = 0.003
"""Most width of a bar, over the longer side of the picture."""


def open_coloured_ground(picture: Pixels, mask: Mask) -> Mask:
    """Open what has the many colours of the ground and not those of the product.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the product.

    Returns:
        (H, W) bool; True marks the product.
    """
    height, width = mask.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    product = np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
    lab = cv2.cvtColor(cv2.medianBlur(small, BARS), cv2.COLOR_RGB2LAB)
    ground = _ground_near(product)
    if not ground.any() or not product.any():
        return mask
    colours = _histogram(lab, ground)
    if 1 / float((colours * colours).sum()) < MANY:
        return mask
    like = _like_ground(lab, product, colours)
    rest = product & ~like
    if rest.sum() < LEFT * product.sum():
        return mask
    own = _histogram(lab, rest)
    parts = list(_parts(like, product, lab))
    first = [part for part in parts if part.sum() >= FIRST * product.sum() and _is_open(lab, part, colours, own)]
    if len(first) < SEVERAL:
        return mask
    of_ground = _look_up(lab, colours)
    share = of_ground / np.maximum(of_ground + _look_up(lab, own), 1e-9)
    found = first + [part for part in parts if share[part].mean() > MOSTLY_GROUND]
    region = cv2.resize(np.logical_or.reduce(found).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(mask & ~((region > 0) & ~_bars(picture, np.asarray(mask & (region == 0)))))


def _ground_near(product: Mask) -> Mask:
    """Return the ground around a product, not too far from it."""
    left, top, width, height = cv2.boundingRect(product.astype(np.uint8))
    reach = round(NEAR * max(width, height))
    near = np.zeros_like(product)
    near[max(0, top - reach) : top + height + reach, max(0, left - reach) : left + width + reach] = True
    return np.asarray(near & outside(product))


def _like_ground(lab: MatLike, product: Mask, colours: MatLike) -> Mask:
    """Return the part of the product that has the ground's colours rather than those of the rest.

    At first the rest holds the openings; in each round it holds less of them.
    """
    of_ground = _look_up(lab, colours)
    like = np.zeros_like(product)
    for number in range(ROUNDS):
        of_product = _look_up(lab, _histogram(lab, product & ~like))
        share = of_ground / np.maximum(of_ground + of_product, 1e-9)
        is_like = (share > (LIKELY if number < ROUNDS // 2 else SURE)) & (of_ground > 1e-5) & product
        new = cv2.morphologyEx(is_like.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
        if (new == like).all():
            break
        like = np.asarray(new)
    return like


def _parts(like: Mask, product: Mask, lab: MatLike) -> Iterator[Mask]:
    """Yield the regions that the product encloses and that are colourful."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(like.astype(np.uint8), connectivity=4)
    chroma = np.hypot(lab[..., 1] - 128.0, lab[..., 2] - 128.0)
    for number in range(1, count):
        if stats[number, cv2.CC_STAT_AREA] < SMALLEST * product.sum():
            continue
        part = np.asarray(labels == number)
        rim = (cv2.dilate(part.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0) & ~part
        if product[rim].mean() > ENCLOSED and chroma[part].mean() > COLOURFUL:
            yield part


def _is_open(lab: MatLike, part: Mask, colours: MatLike, own: MatLike) -> bool:
    of_part = _histogram(lab, part)
    like_ground, like_product = (float(np.minimum(of_part, one).sum()) for one in (colours, own))
    return like_ground > LIKE_GROUND and like_ground > TIMES_PRODUCT * like_product


def _bars(picture: Pixels, product: Mask) -> Mask:
    """Return the bars before the ground: darker than it, or lighter if the product is lighter."""
    lightness = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0]
    is_dark = float(np.median(lightness[product])) < float(np.median(lightness[~product]))
    return thin_bars(picture, "darker" if is_dark else "lighter", STANDS_OUT, THICK)


def _histogram(lab: MatLike, mask: Mask) -> MatLike:
    """Return how often colours near those of each bin occur, BINS; the sum is 1."""
    counts = cv2.calcHist([lab], [0, 1, 2], mask.astype(np.uint8), list(BINS), [0, 256] * 3)
    for _ in range(3):  # one axis after the other
        wider = np.pad(counts, [(1, 1), (0, 0), (0, 0)])
        counts = np.moveaxis(0.25 * wider[:-2] + 0.5 * wider[1:-1] + 0.25 * wider[2:], 0, 2)
    return np.asarray(counts / max(float(counts.sum()), 1e-9), np.float32)


def _look_up(lab: MatLike, histogram: MatLike) -> MatLike:
    lightness, a, b = (lab[..., channel].astype(np.intp) * bins // 256 for channel, bins in enumerate(BINS))
    return np.asarray(histogram[lightness, a, b])
