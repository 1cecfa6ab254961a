"""Time to cut a product out again, with and without its cached embedding.

The cache holds a single embedding: cutting one photo twice in a row hits it, switching photos misses. Points move from
run to run; the photos are the sample, 1200x1200, and its mirror image.

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

from cli.client import Body, Client
from cli.demo import SAMPLE
from cli.ports import Ports
from cli.supervisor import running

ONE_EMBEDDING = "4"


async def measure(runs: int) -> dict[str, float]:
    """Return the median seconds with and without the embedding, and their ratio."""
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
    await client.recut(upload, {"points": [{"x": 600, "y": 500 + 5 * run, "on_product": True}], "start_over": True})
    return time.perf_counter() - start


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    for name, value in figures.items():
        print(f"{name:20} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
