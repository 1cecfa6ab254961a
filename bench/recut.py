"""How long a user waits for the product to be cut out again, and how much longer without the embedding that is kept.

Two systems run side by side, by turns: one as it comes, one that keeps no embeddings. Points move from run to run; the
photo is the sample, 1200x1200.

    python -m bench.recut [RUNS]
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack

import httpx

from deploy.cli.client import Body, Client
from deploy.local.demo import SAMPLE
from deploy.local.supervisor import Ports, running

KEPT_MB = {"kept": "64", "not kept": "0"}


async def measure(runs: int) -> dict[str, float]:
    """Give the median seconds of both, and the ratio."""
    async with AsyncExitStack() as stack:
        clients = [await _client(stack, megabytes) for megabytes in KEPT_MB.values()]
        uploads = [await client.upload(SAMPLE) for client in clients]
        seconds: list[list[float]] = [[] for _ in clients]
        for run in range(runs + 1):
            for client, upload, taken in zip(clients, uploads, seconds, strict=True):
                taken.append(await _recut(client, upload, run))
    kept, not_kept = (statistics.median(taken[1:]) for taken in seconds)
    return {"ratio": round(not_kept / kept, 2), "seconds": round(kept, 3), "seconds_not_kept": round(not_kept, 3)}


async def _client(stack: AsyncExitStack, megabytes: str) -> Client:
    store = stack.enter_context(tempfile.TemporaryDirectory())
    environment = {
        "HISTORY_STORE": "disk",
        "HISTORY_DISK_DIR": store,
        "SEGMENTATION_EMBEDDING_CACHE_MB": megabytes,
    }
    lines: list[str] = []
    processes = await stack.enter_async_context(running(Ports.free(), environment, lines.append))
    http = httpx.AsyncClient(base_url=processes.url, trust_env=False, timeout=300)
    return Client(await stack.enter_async_context(http))


async def _recut(client: Client, upload: Body, run: int) -> float:
    start = time.perf_counter()
    await client.cut_again(upload, [{"x": 600, "y": 500 + 10 * run, "on_product": True}], None)
    return time.perf_counter() - start


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
    for name, value in figures.items():
        print(f"{name:20} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
