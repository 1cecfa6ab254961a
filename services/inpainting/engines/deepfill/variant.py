"""Variants of DeepFill v2 checkpoints: run with the rules of another variant, a checkpoint produces artefacts."""

from dataclasses import dataclass
from typing import Literal

Padding = Literal["same", "symmetric"]
Resize = Literal["align_corners", "floor"]
Channels = Literal["rgb", "bgr"]


@dataclass(frozen=True)
class Variant:
    """How to run the network.

    Attributes:
        name: Suffix of the engine name.
        padding: TensorFlow's SAME (at stride 2 with even sides: none before, one after), or equal on both sides.
        resize: Which pixels downsampling keeps: spaced evenly so that both corners are kept, or every n-th.
        mask_steps: Successive factors by which the hole is downsampled for attention.
        fuse: Whether attention sums the scores of neighbouring patches.
        channels: Channel order of the pictures.
    """

    name: str
    padding: Padding
    resize: Resize
    mask_steps: tuple[int, ...]
    fuse: bool
    channels: Channels


TENSORFLOW = Variant("tensorflow", "same", "align_corners", (4, 2), fuse=True, channels="bgr")
"""The authors' code and weights."""
CONVERTED = Variant("converted", "same", "align_corners", (8,), fuse=False, channels="bgr")
"""The authors' weights converted to PyTorch, run as by their public loader except for the channel order."""
PYTORCH = Variant("pytorch", "symmetric", "floor", (4, 2), fuse=True, channels="rgb")
"""Weights trained in PyTorch."""
