"""How long a user waits for the product to be cut out again, and how much longer without the embedding that is kept.

The system keeps one embedding only: one photo cut again and again finds its own, two by turns never do. Points move
from run to run; the photos are the sample, 1200x1200, and its mirror image.

    python -m bench.recut [RUNS]
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
from PIL import Image, ImageOps

from deploy.cli.client import Body, Client
from deploy.local.demo import SAMPLE
from deploy.local.supervisor import Ports, running

ONE_EMBEDDING = "4"


async def measure(runs: int) -> dict[str, float]:
    """Give the median seconds with the embedding and without, and the ratio."""
    kept: list[float] = []
    not_kept: list[float] = []
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "HISTORY_STORE": "disk",
            "HISTORY_DISK_DIR": folder,
            "SEGMENTATION_EMBEDDING_CACHE_MB": ONE_EMBEDDING,
        }
        mirrored = Path(folder, "mirrored.jpg")
        ImageOps.mirror(Image.open(SAMPLE)).save(mirrored, quality=95)
        async with (
            running(Ports.free(), environment, lines.append) as processes,
            httpx.AsyncClient(base_url=processes.url, trust_env=False, timeout=300) as http,
        ):
            client = Client(http)
            uploads = [await client.upload(photo) for photo in (SAMPLE, mirrored)]
            for run in range(runs + 1):
                for upload in uploads:
                    not_kept.append(await _recut(client, upload, 2 * run))
                    kept.append(await _recut(client, upload, 2 * run + 1))
    seconds, without = (statistics.median(taken[2:]) for taken in (kept, not_kept))
    return {"ratio": round(without / seconds, 2), "seconds": round(seconds, 3), "seconds_not_kept": round(without, 3)}


async def _recut(client: Client, upload: Body, run: int) -> float:
    start = time.perf_counter()
    await client.cut_again(upload, [{"x": 600, "y": 500 + 5 * run, "on_product": True}], None)
    return time.perf_counter() - start


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    for name, value in figures.items():
        print(f"{name:20} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
