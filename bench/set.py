"""Render time of sets by type and size, and the slowdown if every pixel were supersampled.

The plain version traces as many rays through every pixel as the renderer traces through edge pixels.

    python -m bench.set [RUNS]
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from services.generation.audience import Audience, Product
from services.generation.background.background import BackgroundRequest
from services.generation.engines.set.render import CORNERS, follow
from services.generation.engines.set.set_engine import Plan, SetEngine
from services.generation.engines.set.sets import TYPES

SIZES = {"560x700": (5 / 4, 560), "640x960": (2 / 3, 640), "1080x1920": (9 / 16, 1080)}
"""Aspect ratio and shorter side, in pixels, of the default ads' backgrounds and of the largest."""


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median time of some runs after a warm-up, in seconds."""
    taken = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def every_pixel(plan: Plan) -> None:
    """Follow every ray."""
    rows, columns = np.indices((plan.camera.height, plan.camera.width), np.float32).reshape(2, -1)
    for x, y in CORNERS:
        follow(plan.stage, plan.camera, columns + 0.5 + x, rows + 0.5 + y)


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    studio = SetEngine(stand_in=False)
    kinds = {kind.__name__: kind for kinds in TYPES.values() for kind in kinds}
    table: dict[str, list[float]] = {}
    ratios = []
    print(f"{'set':12}", *(f"{size:>10}" for size in SIZES))
    for name, kind in sorted(kinds.items()):
        TYPES.update(dict.fromkeys(TYPES, (kind,)))
        wishes = [
            BackgroundRequest(Product("x"), Audience(), ratio, 1, product_aspect_ratio=0.6, short_side=side)
            for ratio, side in SIZES.values()
        ]
        table[name] = [seconds(partial(studio.generate, wish), runs) for wish in wishes]
        print(f"{name:12}", *(f"{taken:9.2f}s" for taken in table[name]))
        ratios.append(seconds(partial(every_pixel, studio.plan(wishes[0])), 1) / table[name][0])
    by_size = {size: [row[number] for row in table.values()] for number, size in enumerate(SIZES)}
    figures = {
        "seconds": {size: round(statistics.median(taken), 2) for size, taken in by_size.items()},
        "slowest": {size: round(max(taken), 2) for size, taken in by_size.items()},
        "ratio": round(statistics.median(ratios), 2),
    }
    print(f"rays through every pixel of {next(iter(SIZES))} would take {figures['ratio']} times as long")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
