"""Contact sheet for visual review: photo, cutout, background and three ads of each product.

Up to N photos, spread over the folder, get the five interests in turn; the sample photo gets all five.

    python -m bench.contact_sheet DIR [--most N] [--out FILE]
"""

import argparse
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from bench.compose import RATIOS, SIZES
from bench.pictures import read, write
from common.imaging.codec import Pixels, decode
from common.serving.engines import EngineRegistry
from common.settings import ImageLimits
from services.generation.audience import INTERESTS, Audience, Product
from services.generation.background.background import BackgroundRequest
from services.generation.compose.compose import Output, Scene, compose
from services.generation.engines.set.set_engine import SetEngine
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.base import Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings

SAMPLE = Path("gateway/web/sample.jpg")
ROW = 300
"""Row height, in pixels."""
SQUARE = 10


def products(folder: Path, most: int) -> Iterator[tuple[Path, str]]:
    """Yield photos with their interests."""
    photos = sorted(path for path in folder.rglob("*.jpg"))
    step = max(1, len(photos) // most)
    yield from zip(photos[::step][:most], cycle(INTERESTS), strict=False)
    yield from ((SAMPLE, interest) for interest in INTERESTS)


def row(photo: Pixels, interest: str, seed: int, engines: Engines) -> Pixels:
    """Return photo, cutout, background and ads side by side."""
    cut = cut_out(photo, None, engines)
    product, bounds = cut.pixels, cut.bounds
    shape = (bounds.right - bounds.left) / (bounds.bottom - bounds.top)
    audience = Audience("female", "25-34", interest)
    wishes = [
        BackgroundRequest(Product("product"), audience, ratio, seed, product_aspect_ratio=shape) for ratio in RATIOS
    ]
    made = [SetEngine(stand_in=False).generate(wish) for wish in wishes]
    creatives = compose([Scene(one.pixels, one.placement) for one in made], product, SIZES, Output())
    for creative in creatives:
        print(*creative.quality.flaws, sep="\n", end="\n" if creative.quality.flaws else "")
    ads = [decode(creative.file, ImageLimits()) for creative in creatives]
    return np.hstack([_fitted(one) for one in (photo, _on_squares(product), made[0].pixels, *ads)])


def _on_squares(product: Pixels) -> Pixels:
    y, x = np.mgrid[: product.shape[0], : product.shape[1]] * ROW // product.shape[0] // SQUARE
    squares = np.where((x + y) % 2, 235, 205)[..., None]
    share = product[..., 3:].astype(np.float32) / 255
    return np.asarray(product[..., :3] * share + squares * (1 - share), np.uint8)


def _fitted(picture: Pixels) -> Pixels:
    """Fit into a 4:3 cell of the row height, centred on white."""
    scale = min(ROW / picture.shape[0], ROW * 4 / 3 / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((ROW, ROW * 4 // 3, 3), 255, np.uint8)
    top, left = (ROW - small.shape[0]) // 2, (frame.shape[1] - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def main() -> None:
    """Write the sheet; print its contents as JSON on the last line."""
    parser = argparse.ArgumentParser(prog="python -m bench.contact_sheet")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("out/contact_sheet.jpg"))
    arguments = parser.parse_args()
    engines = load_engines(SegmentationSettings(), EngineRegistry())
    shown = list(products(arguments.folder, arguments.most))
    rows = [row(read(path), interest, seed, engines) for seed, (path, interest) in enumerate(shown)]
    write(arguments.out, np.vstack(rows))
    print(json.dumps({"file": str(arguments.out), "rows": [f"{path.name}: {interest}" for path, interest in shown]}))


if __name__ == "__main__":
    main()
