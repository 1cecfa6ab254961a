"""Time of a cut-out by size of the photo, against the form of the first release (d0a140a).

The nets are the same. What differs is what follows them (openings, matte, colours, finishing) and how the encoder uses
memory: the reference, which is kept below, makes a new tensor for every activation. Photos are the sample, scaled;
embeddings are not cached.

    python -m bench.cutout_speed [RUNS]
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from unittest.mock import patch

import cv2
import numpy as np
from cv2.typing import MatLike
from torch.nn import functional

from bench.pictures import read
from cli.demo import SAMPLE
from common.imaging.codec import Pixels
from common.serving.engines import EngineRegistry
from services.segmentation.cutout import cutout, matting, product
from services.segmentation.cutout.openings import Openings
from services.segmentation.engines.base import Box, Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.engines.sam import tiny_vit
from services.segmentation.settings import SegmentationSettings

SIZES = {"400": (400, 267), "554": (554, 512), "6mp": (2828, 2121), "12mp": (4000, 3000)}
WIDE, NARROW, TILE = 45, 6, 1024


def first_foreground(photo: Pixels, alpha: MatLike) -> Pixels:
    """Estimate colours as the first release did: both passes at full size, in large tiles."""
    wide = max(WIDE, round(0.02 * max(alpha.shape)))
    foreground = photo.copy()
    for tile in _tiles(*cv2.boundingRect((alpha > 0).view(np.uint8))):
        share = alpha[tile]
        if not ((share > 0) & (share < 1)).any():
            continue
        margin = wide + NARROW
        rows, columns = tile
        top, left = max(0, rows.start - margin), max(0, columns.start - margin)
        around = slice(top, rows.stop + margin), slice(left, columns.stop + margin)
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        picture, part = photo[around].astype(np.float32) / 255, alpha[around]
        colour, back = _fusion(picture, picture, picture, part, wide)
        colour, _ = _fusion(picture, colour, back, part, NARROW)
        estimated = np.round(np.clip(colour, 0, 1) * 255).astype(np.uint8)[inner]
        foreground[tile] = np.where((share < 1)[..., None], estimated, photo[tile])
    return foreground


def _tiles(left: int, top: int, width: int, height: int) -> Iterator[tuple[slice, slice]]:
    for row in range(top, top + height, TILE):
        for column in range(left, left + width, TILE):
            yield slice(row, min(row + TILE, top + height)), slice(column, min(column + TILE, left + width))


def _fusion(picture: MatLike, front: MatLike, back: MatLike, alpha: MatLike, radius: int) -> tuple[MatLike, MatLike]:
    window = (2 * radius + 1, 2 * radius + 1)
    share, blurred = alpha[..., None], cv2.blur(alpha, window)[..., None]
    near = cv2.blur(front * share, window) / (blurred + 1e-5)
    behind = cv2.blur(back * (1 - share), window) / (1 - blurred + 1e-5)
    return np.asarray(near + share * (picture - share * near - (1 - share) * behind)), behind


def first_finish(pixels: Pixels, score: float, engine: str, _notes: object = ()) -> cutout.Cutout:
    """Finish as the first release did."""
    alpha = pixels[..., 3]
    pixels[alpha == 0] = 0
    left, top, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    return cutout.Cutout(pixels, Box(left, top, left + width, top + height), score, engine)


def first_alpha(colours: Pixels, alpha: MatLike) -> Pixels:
    """Join colours and alpha as the first release did."""
    return np.dstack([first_foreground(colours, alpha), np.round(alpha * 255).astype(np.uint8)])


def first_cut_out(photo: Pixels, engines: Engines) -> None:
    """Cut out as the first release did."""
    with (
        patch.object(product, "open_between_bars", lambda _picture, mask, _candidates: Openings(mask, 0.0)),
        patch.object(product, "whole_at_frame", lambda *_: None),
        patch.object(matting.GuidedFilter, "refit", lambda _self, slope, offset, _target: (slope, offset)),
        patch.object(matting, "TILE", TILE),
        patch.object(tiny_vit, "gelu_", functional.gelu),
        patch.object(cutout, "notes_on", lambda *_, **__: iter(())),
        patch.object(cutout, "_with_alpha", first_alpha),
        patch.object(cutout, "_finish", first_finish),
    ):
        cutout.cut_out(photo, None, engines)


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    engines = load_engines(SegmentationSettings(embedding_cache_mb=0), EngineRegistry())
    sample = read(SAMPLE)
    figures: dict[str, float] = {}
    print(f"{'photo':8}{'now':>8}{'first':>8}{'ratio':>8}")
    for name, size in SIZES.items():
        photo = np.asarray(cv2.resize(sample, size), np.uint8)
        cutout.cut_out(photo, None, engines)
        pairs = [
            (_seconds(cutout.cut_out, photo, None, engines), _seconds(first_cut_out, photo, engines))
            for _ in range(runs)
        ]
        now, first = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
        figures[f"ratio_{name}"] = round(now / first, 3)
        print(f"{name:8}{now:8.2f}{first:8.2f}{now / first:8.2f}", flush=True)
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
