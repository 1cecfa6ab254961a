"""`python -m docs.thumbnails`: make the thumbnails of styles: the bottle of the sample photo in each."""

from pathlib import Path

from bench.contact_sheet import SAMPLE, ad_of, cutout
from common.imaging.codec import encode_webp
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
    for style in styles().values():
        stage = all_sets()[style.sets[0]]
        picture, _ = ad_of(product, stage, SIZE, engine)
        (FOLDER / f"{style.name}.webp").write_bytes(encode_webp(picture, QUALITY))


if __name__ == "__main__":
    main()
