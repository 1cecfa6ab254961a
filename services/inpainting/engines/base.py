"""Protocol of the inpainting engines."""

from typing import Protocol

from common.imaging.codec import Mask, Pixels


class Inpainter(Protocol):
    """Fills holes. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    @property
    def native_size(self) -> int:
        """Longer image side at which the engine works best, in pixels."""

    @property
    def largest_hole(self) -> int | None:
        """Longer side of the largest hole the engine was made for, in pixels. None: any."""

    def fill(self, pictures: Pixels, holes: Mask) -> Pixels:
        """Fill holes.

        Args:
            pictures: (N, H, W, 3).
            holes: (N, H, W) bool; True marks pixels to fill.

        Returns:
            (N, H, W, 3); its values outside the holes are ignored.
        """
