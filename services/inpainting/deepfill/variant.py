"""What kinds of DeepFill v2 checkpoints differ in: each was trained with its own, and gives blots with another's."""

from dataclasses import dataclass
from typing import Literal

Padding = Literal["same", "symmetric"]
Resize = Literal["align_corners", "floor"]
Channels = Literal["rgb", "bgr"]


@dataclass(frozen=True)
class Variant:
    """How the network is run.

    Attributes:
        name: As logs name it.
        padding: TensorFlow's SAME (at stride 2, of even sides: nothing before, one after) or the same on both sides.
        resize: Which pixels a smaller picture keeps: spread so that both corners are kept, or every n-th.
        mask_steps: The factors by which the hole is made smaller for attention, one after another.
        fuse: Whether attention adds up the scores of neighbouring patches.
        channels: The order of the colours.
    """

    name: str
    padding: Padding
    resize: Resize
    mask_steps: tuple[int, ...]
    fuse: bool
    channels: Channels


TENSORFLOW = Variant("tensorflow", "same", "align_corners", (4, 2), fuse=True, channels="bgr")
"""The authors' own code and weights."""
CONVERTED = Variant("converted", "same", "align_corners", (8,), fuse=False, channels="bgr")
"""The authors' weights converted to PyTorch, as their public loader runs them (but for the order of the colours)."""
PYTORCH = Variant("pytorch", "symmetric", "floor", (4, 2), fuse=True, channels="rgb")
"""Weights trained in PyTorch."""
