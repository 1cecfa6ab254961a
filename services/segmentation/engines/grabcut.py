"""GrabCut (Rother et al., 2004): segmentation without weights, for plain backgrounds."""

import cv2
import numpy as np
from cv2.typing import MatLike

from common.imaging.codec import Mask, Pixels
from services.segmentation.engines.base import Box, Candidate, Probability, Prompt

ITERATIONS = 5
SETTLING_ITERATIONS = 1
DOUBT = 0.3
"""Pixels with a probability from this to 1 minus this are undecided."""
WORKING_SIZE = 400
"""Longer side at which colours are modelled, in pixels: time grows with the area, the outline hardly improves."""
POINT_RADIUS = 0.01
BOX_MARGIN = 0.05
SCORE = 0.5
FEW_COLOURS, GRAIN = 256, 1.5
"""Number of colours below which a picture gets grain, and its deviation: among equal colours the cut does not end."""


class GrabCut:
    """Graph cut between colour models of the prompted box and of its surroundings. Thread-safe."""

    name = "grabcut"
    segments_anything = False

    def segment(self, picture: Pixels, prompt: Prompt) -> list[Candidate]:
        """See Segmenter. GrabCut does not rate its result: the score is always 0.5."""
        height, width = picture.shape[:2]
        size = _working_size(width, height)
        labels = cv2.resize(_labels(prompt, width, height), size, interpolation=cv2.INTER_NEAREST)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        if not _is_one_sided(labels):
            _cut(small, labels, ITERATIONS)
        return [Candidate(_scaled_up(_is_object(labels), width, height), SCORE)]


def settle(picture: Pixels, probability: Probability) -> Mask:
    """Classify undecided pixels by the colours of the decided ones.

    Args:
        picture: (H, W, 3).
        probability: (H, W), 0 to 1: probability that each pixel belongs to the object.

    Returns:
        (H, W) bool; True marks the object.
    """
    height, width = probability.shape
    size = _working_size(width, height)
    small = cv2.resize(probability, size, interpolation=cv2.INTER_AREA)
    labels = np.where(small > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[small < DOUBT] = cv2.GC_BGD
    labels[small > 1 - DOUBT] = cv2.GC_FGD
    doubtful = np.isin(labels, (cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
    if _is_one_sided(labels):
        return np.asarray(probability > 0.5)
    _cut(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), labels, SETTLING_ITERATIONS)
    decided = _scaled_up(_is_object(labels), width, height) > 0.5
    in_doubt = cv2.resize(doubtful, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return np.where(in_doubt, decided, probability > 0.5)


def inner_box(width: int, height: int) -> Box:
    """Return the box of the picture less a margin: the likely place of a product when nothing is known."""
    x, y = round(width * BOX_MARGIN), round(height * BOX_MARGIN)
    return Box(x, y, max(width - x, x + 1), max(height - y, y + 1))


def _working_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, WORKING_SIZE / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _cut(picture: MatLike, labels: MatLike, iterations: int) -> None:
    """Run GrabCut on labels, in place. Deterministic: the random seed is fixed."""
    if len(np.unique(picture.reshape(-1, 3) @ np.array([1, 256, 65536]))) < FEW_COLOURS:
        grain = np.random.default_rng(0).normal(0, GRAIN, picture.shape)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(picture, labels, (0, 0, 0, 0), background, foreground, iterations, cv2.GC_INIT_WITH_MASK)


def _scaled_up(mask: Mask, width: int, height: int) -> Probability:
    return np.asarray(cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _labels(prompt: Prompt, width: int, height: int) -> MatLike:
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    box = prompt.box or inner_box(width, height)
    labels[box.top : box.bottom, box.left : box.right] = cv2.GC_PR_FGD
    radius = max(1, round(POINT_RADIUS * max(width, height)))
    for point in prompt.points:
        label = cv2.GC_FGD if point.on_object else cv2.GC_BGD
        cv2.circle(labels, (point.x, point.y), radius, label, cv2.FILLED)
    return labels


def _is_object(labels: MatLike) -> Mask:
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _is_one_sided(labels: MatLike) -> bool:
    """Return whether object or background has too few pixels for a colour model."""
    count = int(_is_object(labels).sum())
    return min(count, labels.size - count) < 10
