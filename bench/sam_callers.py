"""Pictures a second through Segment Anything by the number of callers, over one caller: what batching gives on a GPU.

The weights of vit_b, vit_l and vit_h are random. Each caller segments pictures that it has not segmented before.

    python -m bench.sam_callers [vit_b|vit_l|vit_h|mobile_sam] [SECONDS]
"""

import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from bench.sam_encoder import random_weights
from common.models.device import choose_device
from common.observability.logs import configure_logging
from common.settings import LogSettings
from services.segmentation.engines.base import Box, Prompt
from services.segmentation.engines.registry import SAM_FILES
from services.segmentation.engines.sam.model import MOBILE_SAM
from services.segmentation.engines.sam.sam_engine import SamEngine
from services.segmentation.settings import SegmentationSettings

CALLERS = (1, 2, 4, 8, 16)
SIZE = (768, 1024, 3)
PROMPT = Prompt(box=Box(256, 192, 768, 576))


def rate(engine: SamEngine, callers: int, seconds: float) -> float:
    """Return how many pictures a second callers get."""
    counts = [0] * callers
    together = threading.Barrier(callers)
    rngs = [np.random.default_rng((callers, number)) for number in range(callers)]

    def call(number: int) -> None:
        together.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            engine.segment(rngs[number].integers(0, 256, SIZE, dtype=np.uint8), PROMPT)
            counts[number] += 1

    start = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, range(callers)))
    return sum(counts) / (time.perf_counter() - start)


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    configure_logging(LogSettings(), "bench")
    name = sys.argv[1] if len(sys.argv) > 1 else MOBILE_SAM
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    settings = SegmentationSettings(embedding_cache_mb=0)
    device = choose_device(settings)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path("weights", SAM_FILES[name])
        if name != MOBILE_SAM:
            checkpoint = Path(folder, SAM_FILES[name])
            torch.save(random_weights(name), checkpoint)
        engine = SamEngine.load(checkpoint, device, settings)
    rates = {callers: rate(engine, callers, seconds) for callers in CALLERS}
    for callers, one in rates.items():
        print(f"{callers:3} callers {one:8.2f} pictures/s {one / rates[1]:6.2f} times one caller's")
    figures = {f"ratio_{callers}": round(one / rates[1], 2) for callers, one in rates.items()}
    print(json.dumps({"model": name, "device": device.name, "pictures_per_second": round(rates[1], 2)} | figures))


if __name__ == "__main__":
    main()
