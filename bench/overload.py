"""Behaviour at ten times the system's capacity: response statuses, and the latency of cheap requests meanwhile.

The engines only sleep. A separate process requests `/api/history` and a picture throughout.

    python -m bench.overload [--seconds S] [--times N]
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx

from cli.demo import FORM, SAMPLE
from testing.processes import Process, parts

IDLE_SECONDS = 5
CALIBRATION_SECONDS = 5
PROBES_PER_SECOND = 25
PATIENCE_SECONDS = 30
RECOVERED = 2.0
"""The system has recovered once a generation takes at most this multiple of its idle time."""
EXPECTED = (200, 429, 503)
ENVIRONMENT = {"FIXED_SECONDS": "0.1", "FIXED_QUEUE_SIZE": "32", "GATEWAY_MAX_SHARE": "1"}


def probe(url: str, paths: list[str], stop: Event, found: "Queue[dict[str, list[float]]]") -> None:
    """Request paths in turn until stopped; put the response times, in seconds by path, into the queue."""
    taken: dict[str, list[float]] = {path: [] for path in paths}
    with httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        while not stop.wait(1 / PROBES_PER_SECOND):
            for path, seconds in taken.items():
                start = time.perf_counter()
                client.get(path).raise_for_status()
                seconds.append(time.perf_counter() - start)
    found.put(taken)


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile; of a few measurements, the longest.

    Raises:
        SystemExit: There are none: the machine was too busy to measure.
    """
    if not seconds:
        raise SystemExit("No answer came while it was measured: give it more seconds.")
    return sorted(seconds)[min(len(seconds) - 1, round(0.99 * len(seconds)))]


class Probes:
    """Runs `probe` in its own process while entered; afterwards `p99` holds seconds by path."""

    def __init__(self, url: str, paths: list[str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop, self._found = context.Event(), context.Queue()
        self._process = context.Process(target=probe, args=(url, paths, self._stop, self._found))
        self.p99: dict[str, float] = {}

    def __enter__(self) -> "Probes":
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        taken = self._found.get()
        self._process.join()
        self.p99 = {path: p99(seconds) for path, seconds in taken.items()}


def form_of(upload: dict[str, str]) -> dict[str, str]:
    """Return the form of a generation."""
    return {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}


async def send_one(client: httpx.AsyncClient, upload: dict[str, str] | None) -> str:
    """Upload a photo, or make ads from an upload; return the status, or the name of the error."""
    try:
        if upload is None:
            answer = await client.post("/api/upload-image", files={"product_image": (SAMPLE.name, SAMPLE.read_bytes())})
        else:
            answer = await client.post("/api/generate-product", data=form_of(upload))
    except httpx.HTTPError as error:
        return type(error).__name__
    return str(answer.status_code)


async def load(url: str, upload: dict[str, str], rate: float, seconds: float) -> Counter[str]:
    """Send requests at a fixed rate, whether or not earlier ones have been answered; one in four is an upload."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS, limits=limits) as client:
        sent = []
        start = time.perf_counter()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(start + number / rate - time.perf_counter())
            sent.append(asyncio.create_task(send_one(client, None if number % 4 == 0 else upload)))
        return Counter(await asyncio.gather(*sent))


async def capacity(url: str, upload: dict[str, str], places: int) -> float:
    """Return the generations per second with this many requests always in flight."""
    until = time.perf_counter() + CALIBRATION_SECONDS
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client:

        async def one_after_another() -> int:
            count = 0
            while time.perf_counter() < until:
                count += await send_one(client, upload) == "200"
            return count

        return sum(await asyncio.gather(*(one_after_another() for _ in range(places)))) / CALIBRATION_SECONDS


def resident_mb(process: Process) -> int:
    """Return the resident memory of a process, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) // 1024


def generation_seconds(client: httpx.Client, upload: dict[str, str]) -> float:
    """Make ads once; return the time, in seconds."""
    start = time.perf_counter()
    client.post("/api/generate-product", data=form_of(upload)).raise_for_status()
    return time.perf_counter() - start


def recovery_seconds(client: httpx.Client, upload: dict[str, str], usual: float) -> float:
    """Return the seconds until a generation takes at most RECOVERED times its usual time again."""
    start = time.perf_counter()
    while generation_seconds(client, upload) > RECOVERED * usual:
        pass
    return time.perf_counter() - start


def measure(seconds: float, times: float) -> dict[str, Any]:
    """Return all figures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        parts(Path(folder), ENVIRONMENT) as running,
        httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=PATIENCE_SECONDS) as client,
    ):
        url = running.gateway.url
        upload = client.post("/api/upload-image", files={"product_image": (SAMPLE.name, SAMPLE.read_bytes())}).json()
        usual = statistics.median(generation_seconds(client, upload) for _ in range(5))
        picture = client.get("/api/history").json()[0]["generated_images"][0]
        most = asyncio.run(capacity(url, upload, places=4))
        paths = ["/api/history", f"/static/{picture}"]
        with Probes(url, paths) as idle:
            time.sleep(IDLE_SECONDS)
        before = {name: resident_mb(process) for name, process in vars(running).items()}
        with Probes(url, paths) as busy:
            answers = asyncio.run(load(url, upload, times * most, seconds))
        recovered = recovery_seconds(client, upload, usual)
        after = {name: resident_mb(process) for name, process in vars(running).items()}
    return {
        "capacity_per_second": round(most, 1),
        "sent_per_second": round(times * most, 1),
        "answers": dict(answers),
        "other": sum(count for status, count in answers.items() if status not in map(str, EXPECTED)),
        "idle_p99_ms": [round(1000 * value, 1) for value in idle.p99.values()],
        "busy_p99_ms": [round(1000 * value, 1) for value in busy.p99.values()],
        "p99_ratio": round(max(busy.p99[path] / idle.p99[path] for path in paths), 2),
        "memory_mb": {name: [before[name], after[name]] for name in before},
        "recovery_seconds": round(recovered, 2),
    }


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--times", type=float, default=10)
    arguments = parser.parse_args()
    figures = measure(arguments.seconds, arguments.times)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
