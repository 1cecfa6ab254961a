"""One picture of what comes out: photo, cut-out, background and three ads of each product, for looking at critically.

Every photo of the folder is taken for the next of the five interests, and the sample for all of them.

    python -m bench.contact_sheet DIR [--most N] [--out FILE]
"""

import argparse
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from bench.compose import LARGEST, RATIOS, SIZES
from bench.pictures import read, write
from services.generation.audience import INTERESTS, Audience, Product
from services.generation.background.studio import Studio
from services.generation.compose.compose import Backdrop, compose
from services.runtime.image import Pixels, decode
from services.runtime.settings import ImageLimits
from services.segmentation.cutout import cut_out
from services.segmentation.engine import Engines, choose_engines
from services.segmentation.settings import SegmentationSettings

SAMPLE = Path("deploy/local/sample.jpg")
ROW = 300
"""How tall a row is, in pixels."""
SQUARE = 10


def products(folder: Path, most: int) -> Iterator[tuple[Path, str]]:
    """Give photos, and for whom."""
    photos = sorted(path for path in folder.rglob("*.jpg"))
    step = max(1, len(photos) // most)
    yield from zip(photos[::step][:most], cycle(INTERESTS), strict=False)
    yield from ((SAMPLE, interest) for interest in INTERESTS)


def row(photo: Pixels, interest: str, seed: int, engines: Engines) -> Pixels:
    """Give photo, cut-out, background and ads, side by side."""
    product = cut_out(photo, None, engines).pixels
    audience = Audience("female", "25-34", interest)
    made = [Studio(stand_in=False).generate(Product("product"), audience, ratio, seed) for ratio in RATIOS]
    files = compose([Backdrop(one.pixels, one.zone) for one in made], product, SIZES, LARGEST)
    ads = [decode(file, ImageLimits()) for file in files]
    return np.hstack([_fitted(one) for one in (photo, _on_squares(product), made[0].pixels, *ads)])


def _on_squares(product: Pixels) -> Pixels:
    y, x = np.mgrid[: product.shape[0], : product.shape[1]] * ROW // product.shape[0] // SQUARE
    squares = np.where((x + y) % 2, 235, 205)[..., None]
    share = product[..., 3:].astype(np.float32) / 255
    return np.asarray(product[..., :3] * share + squares * (1 - share), np.uint8)


def _fitted(picture: Pixels) -> Pixels:
    """Scale to a row's height, or to a square's width, on white."""
    scale = min(ROW / picture.shape[0], ROW * 4 / 3 / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((ROW, ROW * 4 // 3, 3), 255, np.uint8)
    top, left = (ROW - small.shape[0]) // 2, (frame.shape[1] - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def main() -> None:
    """Write the sheet and, as the last line, what it shows as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.contact_sheet")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--out", type=Path, default=Path("out/contact_sheet.jpg"))
    arguments = parser.parse_args()
    engines = choose_engines(SegmentationSettings())
    shown = list(products(arguments.folder, arguments.most))
    rows = [row(read(path), interest, seed, engines) for seed, (path, interest) in enumerate(shown)]
    write(arguments.out, np.vstack(rows))
    print(json.dumps({"file": str(arguments.out), "rows": [f"{path.name}: {interest}" for path, interest in shown]}))


if __name__ == "__main__":
    main()
