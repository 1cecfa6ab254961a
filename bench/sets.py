"""Rendered sets: seconds per ad, noise and memory.

Noise is the PSNR of an ad at the service's samples per pixel against the same ad at 512. The reference for time is
OpenCV's Gaussian blur of eight pictures on one core, in the same run. The first ad of a set makes its matter, which is
not counted.

    python -m bench.sets [SET...]
"""

import json
import resource
import statistics
import sys
import time
from dataclasses import replace

import cv2
import numpy as np

from bench.contact_sheet import SAMPLE
from bench.pictures import read
from common.imaging.codec import Pixels
from services.generation.compose.compose import prepare
from services.generation.compose.edges import clean_edges
from services.generation.compose.layout import free_box
from services.generation.engines.set.description import SetDescription
from services.generation.engines.set.look import look_at
from services.generation.engines.set.set_engine import SetEngine, Shot
from services.generation.geometry import Size
from services.generation.settings import GenerationSettings
from services.generation.srgb import Light, encode

SIZES = (Size(300, 250), Size(320, 480), Size(1080, 1920))
MANY = 512


def product() -> Pixels:
    """Return the sample's bottle, roughly: what is far from the ground's colour, (H, W, 4)."""
    photo = read(SAMPLE)
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2Lab).astype(float)
    apart = np.linalg.norm(lab - lab[:40].mean(axis=(0, 1)), axis=2) > 22
    _, labels, stats, _ = cv2.connectedComponentsWithStats(apart.astype(np.uint8))
    largest = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.dstack([photo, np.where(largest, 255, 0).astype(np.uint8)])


def shot(photo_set: SetDescription, size: Size) -> Shot:
    """Return the bottle's shot in a set."""
    prepared = prepare(product())
    box = free_box(prepared.size, size, "none", stands=photo_set.stands)
    layer = clean_edges(prepared.scaled_to(Size(box.width, box.height)))
    return Shot(photo_set, layer, box, size, look_at(prepared.light), 3)


def psnr(one: Light, two: Light) -> float:
    """Return how alike two pictures are in sRGB, in decibels."""
    apart = float(np.mean((encode(one).astype(float) - encode(two).astype(float)) ** 2))
    return 10 * float(np.log10(1 / max(apart, 1e-12)))


def reference() -> float:
    """Return the seconds of a fixed work."""
    cv2.setNumThreads(1)
    picture = np.random.default_rng(0).random((1000, 1000, 3), np.float32)
    start = time.perf_counter()
    for _ in range(8):
        cv2.GaussianBlur(picture, (0, 0), 8)
    seconds = time.perf_counter() - start
    cv2.setNumThreads(-1)
    return seconds


def main() -> None:
    """Print a line per set; the last line is JSON."""
    settings = GenerationSettings()
    start = time.perf_counter()
    engine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, settings.set_samples)
    engine.warm()
    ready = time.perf_counter() - start
    fine = SetEngine(settings.weights_dir, settings.kernel_cache_dir, MANY)
    chosen = [photo_set for photo_set in engine.sets if not sys.argv[1:] or photo_set.name in sys.argv[1:]]
    print(f"{'set':20}" + "".join(f"{size.width}x{size.height:<8}" for size in SIZES) + "   PSNR")
    seconds: dict[Size, list[float]] = {size: [] for size in SIZES}
    quality = []
    for photo_set in chosen:
        engine.render(replace(shot(photo_set, Size(60, 50)), seed=1))
        for size in SIZES:
            wanted = shot(photo_set, size)
            start = time.perf_counter()
            picture = engine.render(wanted)
            seconds[size].append(time.perf_counter() - start)
            if size == SIZES[0]:
                quality.append(psnr(picture, fine.render(wanted)))
        times = "".join(f"{seconds[size][-1]:6.2f} s    " for size in SIZES)
        print(f"{photo_set.name:20}{times}{quality[-1]:5.1f} dB", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {f"seconds_{size.width}x{size.height}": round(statistics.median(seconds[size]), 2) for size in SIZES}
    result |= {"worst_psnr": round(min(quality), 1), "peak_mb": round(peak), "ready_seconds": round(ready, 1)}
    print(json.dumps(result | {"ratio": round(result["seconds_300x250"] / reference(), 2)}))


if __name__ == "__main__":
    main()
