"""Cutout pipeline: find the product, clean its mask, refine it to a matte, see through glass, clean the colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from common.errors import PreconditionError
from common.imaging.codec import Pixels, rgb
from services.segmentation.cutout.edit import Drawn, edit
from services.segmentation.cutout.glass import Glass, find_glass, find_glass_again
from services.segmentation.cutout.matting import Plane, clean, estimate_foreground, refine
from services.segmentation.cutout.notes import notes_on
from services.segmentation.cutout.own_alpha import flattened, is_cut_out_already
from services.segmentation.cutout.product import check_inside, find_product
from services.segmentation.cutout.strands import part_strands
from services.segmentation.engines.base import Box, Engines, Prompt
from services.segmentation.engines.grabcut import GrabCut

OWN_ALPHA = "own_alpha"
"""Engine name reported for photos that are already cut out."""


@dataclass(frozen=True)
class Cutout:
    """A product without its background.

    Attributes:
        pixels: (H, W, 4), the size of the photo.
        bounds: Bounding box of all pixels with alpha above 0.
        score: Confidence, 0 to 1.
        engine: Name of the engine that made it.
        notes: Reasons to look at it; see notes.py.
    """

    pixels: Pixels
    bounds: Box
    score: float
    engine: str
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Hand:
    """What a person says about a photo.

    Attributes:
        prompt: Where the product is; with a base, what to add to it and take away from it.
        base: Alpha that there is, (H, W), 0 to 1.
        drawn: What a brush added and took away.
    """

    prompt: Prompt | None = None
    base: Plane | None = None
    drawn: Drawn | None = None


def cut_out(photo: Pixels, hand: Hand | None, engines: Engines, working_size: int = 1536) -> Cutout:
    """Cut the product out of a photo.

    Args:
        photo: (H, W), (H, W, 3) or (H, W, 4); a photo that is already cut out keeps its alpha.
        hand: What a person says about it, if anything.
        engines: Engines selected by the registry.
        working_size: Longer side at which the matte is computed before it is applied at full size, in pixels.

    Raises:
        InvalidInputError: The prompt lies outside the photo.
        PreconditionError: Nothing stands out from the background, or nothing would be left.
    """
    hand = hand or Hand()
    check_inside(hand.prompt, photo)
    if hand.base is not None or hand.drawn is not None:
        return _edited(photo, hand, engines, working_size)
    if is_cut_out_already(photo):
        return _finish(photo.copy(), 1.0, OWN_ALPHA)
    colours = flattened(photo)
    found = find_product(colours, hand.prompt, engines)
    if found is None:
        raise _nothing_found()
    alpha = part_strands(colours, refine(colours, clean(found.mask), working_size))
    glass = find_glass(colours, alpha)
    is_judged = engines.segmenter.name != GrabCut.name
    notes = list(notes_on(colours, alpha, found, is_judged=is_judged, is_glass=glass is not None))
    if glass is not None:
        alpha = glass.opacity(colours, alpha)
    return _finish(_with_alpha(colours, alpha, glass), found.score, engines.segmenter.name, notes)


def _edited(photo: Pixels, hand: Hand, engines: Engines, working_size: int) -> Cutout:
    colours = rgb(photo) if is_cut_out_already(photo) else flattened(photo)
    base = np.zeros(colours.shape[:2], np.float32) if hand.base is None else hand.base
    glass, cover = find_glass_again(colours, base)
    alpha = edit(colours, cover, hand.prompt, None, engines.segmenter, working_size)
    if glass is not None:
        alpha = np.where(alpha > cover, alpha, np.minimum(alpha, base))  # what a hand adds is solid
    alpha = edit(colours, alpha, None, hand.drawn, engines.segmenter, working_size)
    if not (alpha > 0).any():
        raise PreconditionError("Nothing would be left of the product.", "NOTHING_LEFT")
    return _finish(_with_alpha(colours, alpha, glass), 1.0, engines.segmenter.name)


def _with_alpha(colours: Pixels, alpha: Plane, glass: Glass | None) -> Pixels:
    opacity = cv2.convertScaleAbs(alpha, alpha=255)
    own = estimate_foreground(colours, alpha) if glass is None else glass.own_colours(colours, alpha)
    return np.asarray(cv2.merge([*cv2.split(own), opacity]), np.uint8)


def _finish(pixels: Pixels, score: float, engine: str, notes: Sequence[str] = ()) -> Cutout:
    alpha = pixels[..., 3]
    shown = (alpha > 0).view(np.uint8)
    left, top, width, height = cv2.boundingRect(shown)
    if not width:
        raise _nothing_found()
    pixels = np.asarray(cv2.bitwise_and(pixels, pixels, mask=shown))  # hidden colours only enlarge the file
    return Cutout(pixels, Box(left, top, left + width, top + height), score, engine, notes)


def _nothing_found() -> PreconditionError:
    return PreconditionError(
        "No product stands out from the background.",
        "NOTHING_FOUND",
    )
