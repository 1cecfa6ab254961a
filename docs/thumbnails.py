"""`python -m docs.thumbnails`: make the thumbnails of the page: the sample photo, and its product in each style."""

from pathlib import Path

import cv2
import numpy as np

from bench.contact_sheet import SAMPLE, ad_of, cutout
from common.imaging.codec import decode, encode_webp, rgb
from common.serving.engines import EngineRegistry
from common.styles import styles
from services.generation.engines.set.description import all_sets
from services.generation.engines.set.set_engine import SetEngine
from services.generation.geometry import Size
from services.generation.settings import GenerationSettings
from services.segmentation.engines.registry import load_engines
from services.segmentation.settings import SegmentationSettings

FOLDER = Path("gateway/web/styles")
SIZE = Size(200, 200)
QUALITY = 78


def main() -> None:
    """Render them."""
    settings = GenerationSettings()
    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, 32)
    product = cutout(SAMPLE, load_engines(SegmentationSettings(), EngineRegistry()))
    FOLDER.mkdir(exist_ok=True)
    photo = rgb(decode(SAMPLE.read_bytes(), settings))
    small = np.asarray(cv2.resize(photo, (SIZE.width, SIZE.height), interpolation=cv2.INTER_AREA), np.uint8)
    (FOLDER.parent / "sample_small.webp").write_bytes(encode_webp(small, QUALITY))
    for style in styles().values():
        stage = all_sets()[style.sets[0]]
        picture, _ = ad_of(product, stage, SIZE, engine)
        (FOLDER / f"{style.name}.webp").write_bytes(encode_webp(picture, QUALITY))


if __name__ == "__main__":
    main()
