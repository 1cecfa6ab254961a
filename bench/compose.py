"""Time to compose three ads from a 12 MP cutout, relative to a plain resize-and-paste in Pillow.

The plain version resizes background and cutout in sRGB, without shadows, and pastes. Both write JPEG files.

    python -m bench.compose [RUNS]
"""

import io
import json
import statistics
import sys
import time

import numpy as np
from PIL import Image

from common.imaging.codec import Pixels
from services.generation.compose.compose import Order, Output, Scene, compose
from services.generation.compose.layout import crop_for, product_box
from services.generation.geometry import Box, Size
from services.generation.placement.placement import Placement

SIZES = (Size(300, 250), Size(320, 480), Size(336, 280))


def cutout() -> Pixels:
    """Return a cutout of 3000x4000 pixels: a shaded ball with a soft edge."""
    y, x = np.mgrid[:4000, :3000].astype(np.float32)
    distance = np.hypot(x - 1500, y - 2000)
    alpha = np.clip(1400 - distance, 0, 2) / 2
    shade = np.clip(1.2 - np.hypot(x - 1100, y - 1500) / 2500, 0, 1)[..., None] * (220, 90, 40)
    return np.dstack([shade, alpha * 255]).round().astype(np.uint8)


def pictures() -> list[Scene]:
    """Return a picture per aspect-ratio family, as image models make them."""
    made = []
    for width, height in ((1250, 1000), (1000, 1500)):
        y, x = np.mgrid[:height, :width].astype(np.float32)
        light = 150 + 60 * x / width - 40 * (y > 0.6 * height)
        picture = np.dstack([light, 0.9 * light, 0.8 * light]).astype(np.uint8)
        box = Box(round(0.3 * width), round(0.15 * height), round(0.7 * width), round(0.8 * height))
        made.append(Scene(picture, Placement(box, reflectance=0.1)))
    return made


def plain(scenes: list[Scene], product: Pixels) -> list[bytes]:
    """Resize and paste; return JPEG files."""
    files = []
    picture = Image.fromarray(product)
    picture = picture.crop(picture.getbbox())
    for size in SIZES:
        scene = min(scenes, key=lambda one: abs(np.log(one.size.aspect_ratio / size.aspect_ratio)))
        crop = crop_for(scene.size, scene.placement.box, size)
        place = product_box(Size(*picture.size), scene.placement.box, crop, size)
        box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
        ad = Image.fromarray(scene.pixels).resize((size.width, size.height), Image.Resampling.LANCZOS, box)
        layer = picture.resize((place.width, place.height), Image.Resampling.LANCZOS)
        ad.paste(layer, (place.left, place.top), layer)
        buffer = io.BytesIO()
        ad.save(buffer, "JPEG", quality=90)
        files.append(buffer.getvalue())
    return files


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    scenes, product = pictures(), cutout()
    ours: list[float] = []
    reference: list[float] = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        compose(scenes, product, [Order(size) for size in SIZES], Output())
        middle = time.perf_counter()
        plain(scenes, product)
        ours.append(middle - start)
        reference.append(time.perf_counter() - middle)
    seconds, plain_seconds = (statistics.median(taken[1:]) for taken in (ours, reference))
    print(f"three ads of a 12 MP cut-out: {seconds:.3f} s, plain {plain_seconds:.3f} s")
    print(json.dumps({"seconds": round(seconds, 3), "ratio": round(seconds / plain_seconds, 2)}))


if __name__ == "__main__":
    main()
