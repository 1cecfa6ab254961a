"""What was found in a picture: things, and the surfaces on which they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from common.imaging.codec import Mask
from services.generation.geometry import Box, Size

FOOT = 0.1
"""Height of a thing's foot, as a fraction of its own."""
BELOW = 5
"""How far below its foot a surface is looked for, in pixels of a reduced picture."""
MOSTLY = 0.4
"""Part of the foot below which the surface must show."""


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing in a picture.

    Attributes:
        mask: (H, W) bool, with at least one pixel.
    """

    mask: Mask

    @cached_property
    def box(self) -> Box:
        """Its box."""
        left, top, width, height = cv2.boundingRect(self.mask.astype(np.uint8))
        return Box(left, top, left + width, top + height)

    @cached_property
    def foot(self) -> Box:
        """The box of its lowest part."""
        top = max(0, self.box.bottom - max(2, round(FOOT * self.box.height)))
        columns = np.flatnonzero(self.mask[top : self.box.bottom].any(axis=0))
        return Box(int(columns[0]), top, int(columns[-1]) + 1, self.box.bottom)

    @property
    def is_cut_off(self) -> bool:
        """Whether it runs out of the picture above or at a side."""
        return self.box.top <= 1 or self.box.left <= 1 or self.box.right >= self.mask.shape[1] - 1

    def stands_on(self, surface: Mask) -> bool:
        """Return whether a surface shows just below its foot."""
        foot = self.foot
        below = surface[foot.bottom : foot.bottom + BELOW, foot.left : foot.right]
        return bool(below.size) and float(below.any(axis=0).mean()) > MOSTLY


@dataclass(frozen=True)
class Found:
    """What was found in a picture.

    Attributes:
        things: The things, best first.
        surfaces: What things can stand on, best first, (H, W) bool; without the things on it.
    """

    things: Sequence[Thing] = ()
    surfaces: Sequence[Mask] = ()

    def reduced(self, size: Size) -> "Found":
        """Return the same in a smaller picture. What is too small to show there stays as a pixel."""
        return Found(
            [Thing(_reduced(thing.mask, size)) for thing in self.things], [_reduced(one, size) for one in self.surfaces]
        )


def working_size(picture: Size, side: int) -> Size:
    """Return the size of a picture whose longer side is reduced to some pixels."""
    scale = min(1.0, side / max(picture.width, picture.height))
    return Size(max(8, round(picture.width * scale)), max(8, round(picture.height * scale)))


def _reduced(mask: Mask, size: Size) -> Mask:
    share = cv2.resize(mask.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_AREA)
    return np.asarray(share >= min(0.5, float(share.max())), np.bool_) & (share > 0)
