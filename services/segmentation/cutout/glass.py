"""Glass: what is seen through a product is the old ground, and gives way to the new one.

Where both sides of a product tell what is behind it, and just that is seen inside it (seen_through.py), its alpha is
that of the clearest glass that explains the photo over the ground behind it (Smith and Blinn, "Blue Screen Matting",
1996: with one ground, alpha has only a lower bound).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Pixels
from services.segmentation.cutout.matting import Plane, part_of, tiles
from services.segmentation.cutout.seen_through import ground_seen_through

GRAIN = 0.03
"""How much the ground's colours may differ from what is expected, 0 to 1: it has some texture."""
LEAST = 0.08
"""Minimum alpha of glass: it is never quite invisible."""
TINTED, DARKEST = 0.25, 0.7
"""Part of a product that may be clearer than its tint is, for a gleam before a bright ground hides nothing; and minimum
alpha of a tint that is none."""
CLEAR = 0.1
"""Minimum part of glass that is not solid."""
SOLID = 0.85
"""Alpha above which nothing is seen through."""


@dataclass(frozen=True)
class Glass:
    """A product that is see-through.

    Attributes:
        behind: The ground that it hides, (h, w, 3) float32, 0 to 1, of any size.
        least: Minimum alpha: the tint that it has everywhere, 0 to 1.
    """

    behind: MatLike
    least: float

    def opacity(self, photo: Pixels, alpha: Plane) -> Plane:
        """Return the alpha of the glass, (H, W), 0 to 1.

        Args:
            photo: (H, W, 3).
            alpha: Part of each pixel that the product covers, (H, W), 0 to 1.
        """
        opacity = alpha.copy()
        for tile in tiles(*_box(alpha)):
            seen = photo[tile].astype(np.float32) / 255
            behind = _nearest(seen, part_of(self.behind, tile, *alpha.shape))
            opacity[tile] = alpha[tile] * np.maximum(_opacity(seen, behind), self.least)
        return opacity

    def own_colours(self, photo: Pixels, alpha: Plane) -> Pixels:
        """Return what a photo shows of the glass itself, (H, W, 3); solid pixels are unchanged.

        Args:
            photo: (H, W, 3).
            alpha: That of the glass, (H, W), 0 to 1.
        """
        colours = photo.copy()
        for tile in tiles(*_box(alpha)):
            seen = photo[tile].astype(np.float32) / 255
            behind = _nearest(seen, part_of(self.behind, tile, *alpha.shape))
            share = np.maximum(alpha[tile], 1e-3)[..., None]
            own = np.round(np.clip((seen - (1 - share) * behind) / share, 0, 1) * 255)
            colours[tile] = np.where(share < 1, own, photo[tile])
        return colours


def _box(alpha: Plane) -> Sequence[int]:
    return cv2.boundingRect((alpha > 0).view(np.uint8))


def _nearest(seen: MatLike, expected: MatLike) -> MatLike:
    """Return the colours nearest to what is seen that the ground may have where some are expected."""
    return np.clip(seen, expected - GRAIN, expected + GRAIN)


def _opacity(seen: MatLike, behind: MatLike) -> Plane:
    """Return the least alpha by which some colour over what is behind gives what is seen.

    Of the three channels' transmittances, the geometric mean: densities add up.
    """
    most = np.minimum(seen / np.maximum(behind, 1e-3), (1 - seen) / np.maximum(1 - behind, 1e-3))
    opacity = 1 - np.clip(most, 0, 1).prod(axis=-1) ** (1 / 3)
    return np.asarray(np.clip(opacity / SOLID, 0, 1))


def find_glass(photo: Pixels, alpha: Plane) -> Glass | None:
    """Return what is behind a product, if it is seen through it.

    Args:
        photo: (H, W, 3).
        alpha: Part of each pixel that the product covers, (H, W), 0 to 1.
    """
    behind = ground_seen_through(photo, alpha)
    if behind is None:
        return None
    height, width = behind.shape[:2]
    seen, cover = (cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in (photo, alpha))
    seen = seen.astype(np.float32) / 255
    tint = float(np.quantile(_opacity(seen, _nearest(seen, behind))[cover > 0.5], TINTED))
    return Glass(behind, max(LEAST, tint)) if tint < DARKEST else None


def find_glass_again(photo: Pixels, alpha: Plane) -> tuple[Glass | None, Plane]:
    """Return what find_glass found when a cutout was made, and the part of each pixel that the product covers.

    Args:
        photo: (H, W, 3).
        alpha: That of the cutout, (H, W), 0 to 1.

    Returns:
        None and alpha itself if the cutout is not one of glass.
    """
    cover = np.minimum(alpha / LEAST, 1)
    if ((alpha < SOLID) & (cover > SOLID)).sum() < CLEAR * cover.sum():
        return None, alpha
    glass = find_glass(photo, cover)
    return glass, alpha if glass is None else cover
