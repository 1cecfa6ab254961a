"""`python -m testing.samples [NAME …]`: render the sample photos again, in gateway/web/."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testing.samples import bottle, lotion, mug
from testing.samples.studio import Shot, photo

FOLDER = Path(__file__).resolve().parents[2] / "gateway" / "web"
SAMPLES: dict[str, tuple[Callable[[], dict[str, Any]], Shot]] = {
    "sample": (bottle.bottle, bottle.SHOT),
    "mug": (mug.mug, mug.SHOT),
    "lotion": (lotion.lotion, lotion.SHOT),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or SAMPLES:
        (FOLDER / f"{name}.jpg").write_bytes(photo(*SAMPLES[name]))
