"""Fringes: what is seen between the strands of a shawl, a tassel or a brush is ground.

Masks fill a fringe. It is told by its look: fine strands of the colour of what they hang from, and between them many
gaps, each of the ground's own colour, perhaps shaded. Then alpha is where a pixel lies between the two colours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.cutout.ground import mean_ground
from services.segmentation.cutout.holes import outside
from services.segmentation.cutout.matting import Plane, disc, part_of, specks, tiles
from services.segmentation.cutout.product import working_copy

SIDE = 768
"""Longer side at which fringes are looked for, in pixels."""
FAR = 0.12
"""Distance from the ground from which on a pixel is product (RGB, 0 to 1)."""
SHADED, LIT = 0.5, 1.05
"""Factors of the ground's colour between the strands."""
IN_SHADE, IN_LIGHT = 0.3, 1.4
"""Factors of the strands' colour."""
THIN, FINE = 0.008, 0.0058
"""Half the width of the thickest strand, and the most mean width of strands, over the longer side."""
NEAR = 0.012
"""Half the width of the widest gap, over the longer side."""
SMALLEST, LARGEST = 0.004, 0.3
"""Area of a fringe, as a fraction of the product."""
OPEN, ROOT, GAPS = 0.15, 0.015, 0.35
"""Parts of a fringe: of its rim, that is outside and that is what it hangs from; of its area, that is gaps."""
CONTRAST, ALIKE = 0.18, 0.1
"""Distance of the strands from the ground (median), at least, and from the colour of what they hang from (25th
percentile: the thinnest are mixed with the ground), at most."""
EXACT, TOLD = 0.04, 0.75
"""Median distance of the gaps from the ground, at most, and part of the pixels that are clearly one or the other."""
CLEARLY = 0.25
"""Distance of such a pixel from the nearer of the two colours, over their distance, at most."""
ONE_WAY = 0.7
"""Coherence of the direction of the strands, 0 to 1, at least: 0.88 in fringes, up to 0.56 in the grid of a facade."""
MANY, GAP = 15, 6
"""How many gaps there are, at least, of at least so many pixels: a few that look so are chance."""
FAINT = 0.05
"""Alpha up to which nothing holds strands together."""
VEIL = 0.15
"""What is nearer to one of the colours than this, over their distance, is that colour."""


@dataclass(frozen=True)
class _Fringe:
    """Strands and the gaps between them.

    Attributes:
        zone: (H, W) bool.
        colour: Of the strands, (3,), 0 to 1.
        gaps: How many.
    """

    zone: Mask
    colour: MatLike
    gaps: int


def part_strands(photo: Pixels, alpha: Plane) -> Plane:
    """Return alpha without the ground that is seen between fine strands.

    Args:
        photo: (H, W, 3).
        alpha: (H, W), 0 to 1.
    """
    height, width = alpha.shape
    small, scale = working_copy(photo, SIDE)
    picture, size = small.astype(np.float32) / 255, (small.shape[1], small.shape[0])
    mask = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0)
    beside = outside(mask)
    if not beside.any() or not mask.any():
        return alpha
    ground = mean_ground(picture, beside)
    fringes = _fringes(picture, cv2.resize(ground, size), mask)
    if sum(fringe.gaps for fringe in fringes) < MANY:
        return alpha
    zone, strands = np.zeros(mask.shape, np.float32), np.zeros_like(picture)
    for fringe in fringes:
        zone[fringe.zone] = 1
        strands[cv2.dilate(fringe.zone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0] = fringe.colour
    left, top, across, down = (round(value / scale) for value in cv2.boundingRect(zone.astype(np.uint8)))
    parted = alpha.copy()
    for tile in tiles(left, top, min(across, width - left), min(down, height - top)):
        within = part_of(zone, tile, height, width) > 0.5
        if within.any():
            here, behind = (part_of(plane, tile, height, width) for plane in (strands, ground))
            own = _between(photo[tile].astype(np.float32) / 255, behind, here)
            parted[tile] = np.where(within, np.minimum(alpha[tile], own), alpha[tile])
    parted[specks(parted > FAINT)] = 0  # strands hang from something: the rest is shadow, or the middle of a wide gap
    return parted


def _between(picture: MatLike, ground: MatLike, strands: MatLike) -> Plane:
    """Return where each pixel lies between the colours of the ground (0) and of the strands (1)."""
    from_ground = _distance(picture, ground, SHADED, LIT)
    from_strands = _distance(picture, strands, IN_SHADE, IN_LIGHT)
    share = from_ground / np.maximum(from_ground + from_strands, 1e-6)
    return np.asarray(np.clip((share - VEIL) / (1 - 2 * VEIL), 0, 1), np.float32)


def _distance(picture: MatLike, colour: MatLike, least: float, most: float) -> Plane:
    """Return the distance of each pixel from a colour, times the best of the factors between two."""
    factor = (picture * colour).sum(-1) / np.maximum((colour * colour).sum(-1), 1e-6)
    return np.asarray(np.linalg.norm(picture - np.clip(factor, least, most)[..., None] * colour, axis=-1))


def _fringes(picture: MatLike, ground: MatLike, mask: Mask) -> Sequence[_Fringe]:
    from_ground = _distance(picture, ground, SHADED, LIT)
    product = np.asarray((from_ground > FAR) & mask)
    thickest = disc(_pixels(THIN, mask, 2))
    thick = np.asarray(cv2.morphologyEx(product.astype(np.uint8), cv2.MORPH_OPEN, thickest) > 0)
    strands = product & ~(cv2.dilate(thick.astype(np.uint8), disc(2)) > 0)
    reach = _pixels(NEAR, mask, 1)
    wide = cv2.copyMakeBorder(strands.astype(np.uint8), reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc(reach))[reach:-reach, reach:-reach] > 0
    scene = _Scene(picture, ground, from_ground, mask, product, thick)
    found = (scene.look(zone) for zone in _parts(np.asarray(closed & mask & ~thick), float(mask.sum())))
    return [
        _Fringe(np.asarray((cv2.dilate(one.zone.astype(np.uint8), thickest) > 0) & ~thick), one.colour, one.gaps)
        for one in found
        if one is not None
    ]


def _pixels(share: float, mask: Mask, least: int) -> int:
    """Return a part of a picture's longer side, in pixels."""
    return max(least, round(share * float(max(mask.shape))))


def _parts(zones: Mask, product: float) -> Iterator[Mask]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(zones.astype(np.uint8))
    for part in range(1, count):
        if SMALLEST * product <= stats[part, cv2.CC_STAT_AREA] <= LARGEST * product:
            yield np.asarray(labels == part)


@dataclass(frozen=True)
class _Scene:
    """A picture in which fringes are looked for.

    Attributes:
        picture: (H, W, 3), 0 to 1.
        ground: What is expected behind, (H, W, 3).
        from_ground: How far a pixel is from it, (H, W).
        mask: The product, with the gaps, (H, W) bool.
        product: The product without them.
        thick: Of that, what is no strand.
    """

    picture: MatLike
    ground: MatLike
    from_ground: Plane
    mask: Mask
    product: Mask
    thick: Mask

    def look(self, zone: Mask) -> _Fringe | None:
        """Return a zone as a fringe, if it looks like one."""
        strands, gaps = zone & self.product, zone & ~self.product
        root = (cv2.dilate(zone.astype(np.uint8), disc(2 * _pixels(THIN, zone, 2))) > 0) & self.thick
        if not (root.any() and strands.any() and gaps.sum() >= GAPS * zone.sum() and self._hangs(zone)):
            return None
        if not (self._is_fine(strands) and np.median(self.from_ground[gaps]) <= EXACT and self._goes_one_way(zone)):
            return None
        colour = np.median(self.picture[root], axis=0)
        from_colour = _distance(self.picture[zone], colour, IN_SHADE, IN_LIGHT)
        alike = np.percentile(from_colour[self.product[zone]], 25)
        if alike > ALIKE or np.median(self.from_ground[strands]) < CONTRAST:
            return None
        apart = float(np.linalg.norm(colour - self.ground[zone].mean(0)))
        told = np.minimum(self.from_ground[zone], from_colour) < CLEARLY * apart
        areas = cv2.connectedComponentsWithStats(gaps.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
        return _Fringe(zone, colour, int((areas >= GAP).sum())) if told.mean() >= TOLD else None

    def _hangs(self, zone: Mask) -> bool:
        """Return whether a zone is open on one side, and hangs from something on another."""
        rim = (cv2.dilate(zone.astype(np.uint8), disc(3)) > 0) & ~zone
        return bool((~self.mask)[rim].mean() >= OPEN and self.thick[rim].mean() >= ROOT)

    def _is_fine(self, strands: Mask) -> bool:
        return bool(2 * self._depth[strands].mean() <= FINE * max(strands.shape))

    @cached_property
    def _depth(self) -> Plane:
        """How far each pixel of a strand is from its edge, in pixels."""
        return cv2.distanceTransform((self.product & ~self.thick).astype(np.uint8), cv2.DIST_L2, 5)

    def _goes_one_way(self, zone: Mask) -> bool:
        """Return whether edges within a zone have one direction (Bigün and Granlund, 1987), whatever it is."""
        inner = cv2.erode(zone.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        across, down = (cv2.Sobel(self.from_ground, cv2.CV_32F, x, 1 - x)[inner] for x in (1, 0))
        both, energy = complex((across * across - down * down).sum(), 2 * (across * down).sum()), across**2 + down**2
        return abs(both) >= ONE_WAY * float(energy.sum())
