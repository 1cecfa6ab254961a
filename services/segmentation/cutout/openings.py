"""Openings by the ground alone: what shows between thin bars continues what is seen around the product.

Candidates of Segment Anything fill spokes, racks and baskets: a mask of theirs has 256 pixels. So the ground is
predicted behind the product, and regions that look like the prediction, are sharply bordered and lie among thin parts
are opened. The last is what tells them from a label of the wall's colour, around which there is more of the product.
Several of them with thin bars between are the cells of a lattice, such as a basket: in it, less is asked of each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.bars import thin_bars
from services.segmentation.cutout.ground import distance_from_ground
from services.segmentation.cutout.holes import GOOD, HELD_BY, SURE, WHOLE, holes_in, outside, share_around
from services.segmentation.engines.base import Candidate, Probability

LIKE = 1.5
"""Maximum distance from the prediction, in deviations."""
SMALLEST = 0.0008
"""Minimum area of a region, as a fraction of the product."""
AT_OUTSIDE = 0.12
"""Maximum part of a region's rim that is not product: what runs into the outside is a pale product's edge."""
CLEAR, CLEAR_IF_OMITTED = 5.0, 3.8
"""How much farther than the region itself (median) its rim is from the prediction (75th percentile), at least; and if a
good candidate omits the region."""
SHARP = 2.2
"""How far the rim is at least, in deviations."""
EXACT, MOSTLY_OPEN = 0.55, 0.5
"""Where candidates dispute a region: its maximum distance from the prediction, unless so much around it is open."""
OMITTED = 0.3
"""Mean probability below which a candidate omits a region."""
THIN, THIN_IF_OMITTED = 0.7, 0.4
"""Part of what is around a region that must not be product, and if a candidate omits it: there is more at a label."""
CELLS, CLEAR_CELL, WIDE_CELL = 4, 3.0, 0.03
"""How many cells make a lattice, how clear each must be, and how wide, over the square root of the product's area."""
CLEAR_LATTICE = 5.0
"""How clear the cells are together, at least: carved stone that is one with its ground reaches 4.8."""
BARS = 0.42
"""Part of the rims of a lattice's cells that must be thin bars: the cells' neighbours are near. Between the strokes of
letters it is up to 0.26, in baskets, racks and wheels 0.56 and more."""
BAR, BLURRED = 0.5, 4.0
"""Most width of a bar, over that of the cell; and how much wider a bar seems to be, in pixels."""
CLEAR_IN_LATTICE, WIDE_IN_LATTICE, OUTSIDE_IN_LATTICE = 2.0, 0.025, 0.35
"""The same demands, and AT_OUTSIDE, for what lies in a lattice."""
OTHER_GROUND, THIN_ON_OTHER_GROUND = 12.0, 0.3
"""Where the ground has several colours and each shows through: their least difference (CIE76), and THIN there."""
HELD_AROUND = 0.8
"""Part of the rim of a hole that a candidate must hold."""
FRAMED_BY, SEEN, THIN_IF_FRAMED = 2, 0.5, 0.2
"""Good candidates that must have a hole, the part of it that must be open or look like the ground, and THIN for it."""
EDGE, MOSTLY = 1.2, 0.6
"""Slope at which a smooth patch ends (CIE76 per pixel), and the part of it that is open if all of it is."""
MAY_HOLD_BARS = 0.15
"""Minimum area of an opening in which bars are looked for, as a fraction of the product."""
STANDS_OUT, THICK = 10.0, 0.0042
"""How much darker or lighter than what is beside it a bar in it is, at least (L of 255), and its most width, over the
longer side of the picture."""
LEFT = 0.12
"""Part of the product that must be left, or all of it looks like the ground."""
PASSES = 2


@dataclass(frozen=True)
class Openings:
    """What the ground says about a mask.

    Attributes:
        mask: (H, W) bool; True marks the product, without its openings.
        doubtful: Part of the product that may be openings and was kept.
    """

    mask: Mask
    doubtful: float


def open_between_bars(picture: Pixels, mask: Mask, candidates: Sequence[Candidate]) -> Openings:
    """Open regions that continue the ground between thin parts of the product.

    Args:
        picture: (H, W, 3).
        mask: (H, W) bool; True marks the product.
        candidates: All candidates for the prompts that led to the mask.
    """
    best = max((candidate.score for candidate in candidates), default=0.0)
    good = [candidate.probability for candidate in candidates if candidate.score >= best - GOOD]
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    opened, found = mask, _Pass(np.zeros_like(mask))
    for _ in range(PASSES):
        found = _pass(lab, opened, good, is_lattice=found.is_lattice)
        if not found.region.any():
            break
        opened = _whole_patches(lab, mask, opened & ~found.region)
    bars = _bars_in(picture, np.asarray(mask & ~opened), MAY_HOLD_BARS * float(mask.sum()))
    return Openings(opened | bars, found.doubtful)


def _whole_patches(lab: MatLike, mask: Mask, opened: Mask) -> Mask:
    """Return a product with openings, without the rest of each smooth patch that is mostly open."""
    softened = cv2.GaussianBlur(lab, (0, 0), 1)
    slopes = (cv2.Sobel(softened, cv2.CV_32F, across, 1 - across, scale=1 / 8) for across in (1, 0))
    steep = np.sqrt(sum((slope * slope).sum(2) for slope in slopes))
    count, patches = cv2.connectedComponents(((steep < EDGE) & mask).astype(np.uint8), connectivity=4)
    areas = np.bincount(patches.ravel(), minlength=count)
    is_open = np.bincount(patches[mask & ~opened], minlength=count) >= MOSTLY * areas
    is_open[0] = False  # edges, and what is outside
    return np.asarray(opened & ~is_open[patches])


def _bars_in(picture: Pixels, opened: Mask, large: float) -> Mask:
    """Return the bars in what was opened where that is large: there, bars look like the ground."""
    regions = list(_regions(opened, large))
    if not regions:
        return np.zeros_like(opened)
    return np.asarray(thin_bars(picture, "either", STANDS_OUT, THICK) & np.logical_or.reduce(regions))


@dataclass(frozen=True)
class _Pass:
    """What one look at a mask finds.

    Attributes:
        region: What to open, (H, W) bool.
        doubtful: Part of the product that may be openings and is kept.
        is_lattice: Whether the product is one.
    """

    region: Mask
    doubtful: float = 0.0
    is_lattice: bool = False


def _pass(lab: MatLike, mask: Mask, good: Sequence[Probability], *, is_lattice: bool) -> _Pass:
    """Look at a mask once; what was a lattice stays one, even if few of its cells are left."""
    ground = outside(mask)
    if not ground.any() or not mask.any():
        return _Pass(np.zeros_like(mask))
    distance = cv2.blur(distance_from_ground(lab, ground), (3, 3))
    like = cv2.morphologyEx(((distance < LIKE) & mask).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    smallest = SMALLEST * float(mask.sum())
    region = _holes_of_all(np.asarray(like), good, smallest) | _holes_of_several(np.asarray(like), mask, good)
    if (mask & ~like).sum() < LEFT * mask.sum():
        return _Pass(region, is_lattice=is_lattice)
    looks = [_look(part, lab, distance, mask, like, good) for part in _regions(np.asarray(like), smallest)]
    opened = [look for look in looks if look.is_opening]
    is_lattice = is_lattice or _is_lattice([look for look in looks if look.is_cell])
    if is_lattice:
        opened += [look for look in looks if look.is_in_lattice and look not in opened]
    known = [look.colour for look in opened] + [lab[hole].mean(0) for hole in _regions(_inside(mask), smallest)]
    opened += [look for look in looks if look.is_opening_on(known) and look not in opened]
    for look in opened:
        region |= look.part
    doubtful = sum(float(look.part.sum() / mask.sum()) for look in looks if look not in opened and look.is_cell)
    return _Pass(region, doubtful, is_lattice)


def _holes_of_all(like: Mask, good: Sequence[Probability], smallest: float) -> Mask:
    """Return what looks like the ground, every good candidate omits, and they enclose: saliency fills such holes."""
    holes = np.zeros_like(like)
    if good:
        most = np.maximum.reduce(good)
        for part in _regions(np.asarray(like & (most < OMITTED)), smallest):
            if float((most > SURE)[_rim(part)].mean()) >= HELD_AROUND:
                holes |= part
    return holes


def _holes_of_several(like: Mask, mask: Mask, good: Sequence[Probability]) -> Mask:
    """Return holes among thin parts that several good candidates have, one fills at most, and that show the ground.

    Their outlines are better than those of the colours.
    """
    holes = np.zeros_like(mask)
    for candidate in good:
        held = candidate > SURE
        for hole in holes_in(held):
            if not (hole & mask).any():
                continue
            rim = _rim(hole)
            framing = sum(_frames(one > SURE, hole, rim) for one in good)
            filling = sum(float(one[hole].mean()) >= WHOLE for one in good)
            is_agreed = framing >= FRAMED_BY and filling < HELD_BY
            if is_agreed and (like | ~mask)[hole].mean() >= SEEN and share_around(hole, ~held) >= THIN_IF_FRAMED:
                holes |= hole & mask
    return holes


def _frames(held: Mask, hole: Mask, rim: Mask) -> bool:
    """Return whether a candidate omits a hole, and encloses it."""
    return bool((~held)[hole].mean() >= HELD_AROUND and held[rim].mean() >= HELD_AROUND)


def _rim(hole: Mask) -> Mask:
    return np.asarray((cv2.dilate(hole.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0) & ~hole)


@dataclass(frozen=True, eq=False)
class _Look:
    """How a region looks that looks like the ground.

    Attributes:
        part: The region, (H, W) bool.
        colour: Its mean, CIE Lab.
        within: Its distance from the prediction (median), in deviations.
        at_rim: That of its rim (75th percentile).
        at_outside: Part of its rim that is outside the product.
        open_share: Part of what is around it that is not product.
        bars: Part of its rim behind which, beyond a thin bar, there is another region or the outside.
        width: Diameter of the largest disc in it, over the square root of the product's area.
        omitted: Whether a good candidate omits it.
        disputed: Whether others hold it wholly: Segment Anything can tell it from the product.
    """

    part: Mask
    colour: MatLike
    within: float
    at_rim: float
    at_outside: float
    open_share: float
    bars: float
    width: float
    omitted: bool
    disputed: bool

    @property
    def clear(self) -> float:
        """How much farther from the prediction its rim is."""
        return self.at_rim / max(self.within, 1e-3)

    @property
    def is_closed(self) -> bool:
        """Whether the product encloses it, with a sharp rim."""
        return self.at_outside <= AT_OUTSIDE and self.at_rim >= SHARP

    @property
    def is_opening(self) -> bool:
        """Whether it is open by itself."""
        if self.disputed and self.within > EXACT and self.open_share < MOSTLY_OPEN:
            return False
        is_clear = self.clear >= (CLEAR_IF_OMITTED if self.omitted else CLEAR)
        return self.is_closed and is_clear and self.open_share > (THIN_IF_OMITTED if self.omitted else THIN)

    @property
    def is_cell(self) -> bool:
        """Whether it counts as a cell of a lattice."""
        return self.is_closed and self.clear >= CLEAR_CELL and self.width >= WIDE_CELL

    @property
    def is_in_lattice(self) -> bool:
        """Whether it is open if the product is a lattice."""
        is_closed = self.at_outside <= OUTSIDE_IN_LATTICE
        return is_closed and self.clear >= CLEAR_IN_LATTICE and self.width >= WIDE_IN_LATTICE

    def is_opening_on(self, known: Sequence[MatLike]) -> bool:
        """Whether it is open because it shows one part of the ground, and known openings show another."""
        is_alike = self.is_closed and self.clear >= CLEAR and self.open_share > THIN_ON_OTHER_GROUND
        return is_alike and any(float(np.linalg.norm(self.colour - other)) >= OTHER_GROUND for other in known)


def _look(part: Mask, lab: MatLike, distance: MatLike, mask: Mask, like: Mask, good: Sequence[Probability]) -> _Look:
    left, top, across, down = cv2.boundingRect(part.astype(np.uint8))
    reach = max(across, down)  # what is farther away does not count
    near = np.s_[max(0, top - reach) : top + down + reach, max(0, left - reach) : left + across + reach]
    open_, product = part[near], mask[near] & ~like[near]
    rim = (cv2.dilate(open_.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~open_
    at_product = rim & mask[near]
    width = 2 * float(cv2.distanceTransform(np.pad(open_, 1).astype(np.uint8), cv2.DIST_L2, 5).max()) + 2
    from_others = cv2.distanceTransform((open_ | product).astype(np.uint8), cv2.DIST_L2, 5)
    held = [float(probability[part].mean()) for probability in good]
    omitted = any(share < OMITTED for share in held)
    return _Look(
        part,
        lab[part].mean(0),
        within=float(np.median(distance[part])),
        at_rim=float(np.percentile(distance[near][at_product], 75)) if at_product.any() else 0.0,
        at_outside=float((~mask[near])[rim].mean()),
        open_share=share_around(open_, ~product),
        bars=float((from_others[rim] - BLURRED <= max(2.0, BAR * (width + 1))).mean()),
        width=width / float(np.sqrt(mask.sum())),
        omitted=omitted,
        disputed=omitted and sum(share >= WHOLE for share in held) >= HELD_BY,
    )


def _is_lattice(cells: Sequence[_Look]) -> bool:
    """Return whether regions are the cells of a lattice: several, clear, with thin bars between them."""
    if len(cells) < CELLS:
        return False
    looks = [(cell.bars, cell.clear) for cell in cells]
    bars, clear = np.average(looks, axis=0, weights=[float(cell.part.sum()) for cell in cells]).tolist()
    return bool(bars >= BARS and clear >= CLEAR_LATTICE)


def _inside(mask: Mask) -> Mask:
    """Return what a product encloses without being part of it."""
    filled = np.pad(mask, 1).astype(np.uint8)
    cv2.floodFill(filled, None, (0, 0), 1)
    return np.asarray(filled[1:-1, 1:-1] == 0)


def _regions(like: Mask, smallest: float) -> Iterator[Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(like.astype(np.uint8), connectivity=4)
    for part in range(1, count):
        if stats[part, cv2.CC_STAT_AREA] >= smallest:
            yield np.asarray(labels == part)
