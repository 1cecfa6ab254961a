"""Time of each stage of an upload and a generation, and peak memory of each process.

Runs the five processes on the default engines and sends the sample photo through the REST API. `ratio` is the sum of
the stage times over the request times of the same run: the gain from running stages in parallel.

    python -m bench.pipeline [RUNS]
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx

from cli.demo import FORM, SAMPLE
from cli.ports import Ports
from cli.supervisor import running

REQUESTS = ("/api/upload-image", "/api/generate-product")


async def measure(runs: int) -> dict[str, Any]:
    """Run the pipeline; return median seconds per stage and request, and peak MB per process."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as store:
        environment = {"HISTORY_STORE": "disk", "HISTORY_DISK_DIR": store, "GATEWAY_LOG_FORMAT": "json"}
        start = time.perf_counter()
        async with running(Ports.free(), environment, lines.append) as processes:
            ready = time.perf_counter() - start
            async with httpx.AsyncClient(base_url=processes.url, trust_env=False, timeout=300) as client:
                for _ in range(runs):
                    await _send(client)
            memory = {name: _peak_megabytes(pid) for name, pid in processes.pids.items()}
    events = [json.loads(line.partition("| ")[2]) for line in lines if line.startswith("gateway")]
    stages = _medians(events, "stage", "stage")
    requests = {path: value for path, value in _medians(events, "request", "path").items() if path in REQUESTS}
    one_by_one = sum(event["seconds"] for event in events if event["event"] == "stage") / runs
    return {
        "start_seconds": round(ready, 2),
        "stage_seconds": stages,
        "request_seconds": requests,
        "memory_mb": memory,
        "ratio": round(one_by_one / sum(requests.values()), 2),
    }


async def _send(client: httpx.AsyncClient) -> None:
    files = {"product_image": (SAMPLE.name, SAMPLE.read_bytes(), "image/jpeg")}
    upload = (await client.post(REQUESTS[0], files=files)).raise_for_status().json()
    form = {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}
    (await client.post(REQUESTS[1], data=form)).raise_for_status()


def _medians(events: list[dict[str, Any]], kind: str, field: str) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event["event"] == kind:
            found[event[field]].append(event["seconds"])
    return {name: round(statistics.median(seconds), 3) for name, seconds in found.items()}


def _peak_megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
    for title, unit in (("request_seconds", "s"), ("stage_seconds", "s"), ("memory_mb", "MB")):
        print(f"\n{title}")
        for name, value in figures[title].items():
            print(f"  {name:24} {value:>9} {unit}")
    print(f"\nready after {figures['start_seconds']} s; stages one by one take {figures['ratio']} times as long\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
