"""Contact sheet for visual review: products in sets, a row each.

A photo is cut out with the true mask, if `../masks/NAME.png` lies beside its folder; else by the segmentation service's
engines.

    python -m bench.contact_sheet [PHOTO...] [--sets NAME,...] [--size WxH] [--out FILE]
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np

from bench.pictures import read, write
from common.imaging.codec import Pixels, decode
from common.serving.engines import EngineRegistry
from common.settings import ImageLimits
from services.generation.compose.compose import Output, prepare, put
from services.generation.compose.edges import clean_edges
from services.generation.compose.files import encode_ad
from services.generation.compose.layout import free_box
from services.generation.compose.quality import assess
from services.generation.engines.set.description import SetDescription
from services.generation.engines.set.look import look_at
from services.generation.engines.set.set_engine import SetEngine, Shot
from services.generation.geometry import Size
from services.generation.settings import GenerationSettings
from services.generation.srgb import to_srgb
from services.segmentation.cutout.cutout import cut_out
from services.segmentation.engines.base import Engines
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings

SAMPLE = Path("gateway/web/sample.jpg")
SEED = 3


def cutout(photo: Path, engines: Engines) -> Pixels:
    """Return a photo's product, (H, W, 4)."""
    pixels = read(photo)
    mask = photo.parent.parent / "masks" / f"{photo.stem}.png"
    if not mask.is_file():
        return cut_out(pixels, None, engines).pixels
    alpha = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
    return np.dstack([pixels, np.asarray(alpha, np.uint8)])


def ad_of(product: Pixels, photo_set: SetDescription, size: Size, engine: SetEngine) -> tuple[Pixels, list[str]]:
    """Return an ad of a product in a set, and what its quality check says."""
    prepared = prepare(product)
    look = look_at(prepared.light)
    box = free_box(prepared.size, size, "none", stands=photo_set.stands)
    layer = clean_edges(prepared.scaled_to(Size(box.width, box.height)))
    picture = engine.render(Shot(photo_set, layer, box, size, look, SEED))
    output = Output()
    file = encode_ad(to_srgb(put(picture, layer, box)), output.file_format, output.limits.file_bytes)
    enlarged = box.width / prepared.size.width
    quality = assess(layer, picture, box, size, file, output.limits, enlarged, stands=photo_set.stands)
    return decode(file, ImageLimits()), [*quality.flaws, *quality.notes]


def main() -> None:
    """Make the sheet; print what the quality check says of each ad."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[SAMPLE])
    parser.add_argument("--sets", default="", help="names, with commas between; all without it")
    parser.add_argument("--size", default="300x250")
    parser.add_argument("--out", type=Path, default=Path("out/contact_sheet.jpg"))
    arguments = parser.parse_args()
    settings = GenerationSettings()
    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, settings.set_samples)
    engines = load_engines(SegmentationSettings(), EngineRegistry())
    width, height = map(int, arguments.size.split("x"))
    chosen = [one for one in engine.sets if not arguments.sets or one.name in arguments.sets.split(",")]
    rows, remarks, seconds = [], 0, []
    for photo in arguments.photos:
        product = cutout(photo, engines)
        ads = []
        for photo_set in chosen:
            start = time.perf_counter()
            ad, said = ad_of(product, photo_set, Size(width, height), engine)
            seconds.append(time.perf_counter() - start)
            remarks += len(said)
            print(f"{photo.name:14} {photo_set.name:20} {seconds[-1]:5.2f} s  {' '.join(said)}")
            ads.append(ad)
        rows.append(np.hstack(ads))
    write(arguments.out, np.vstack(rows))
    print(json.dumps({"ads": len(seconds), "remarks": remarks, "median_seconds": round(float(np.median(seconds)), 2)}))


if __name__ == "__main__":
    main()
