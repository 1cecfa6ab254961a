"""What the gateway and gRPC add to a generation, and how its cheap routes compare with a bare FastAPI app's.

The engines only take a fixed time. `overhead_ms` is what a generation takes beyond what the services say their calls
took; `overhead_small_ms` the same with tiny backgrounds, so without moving pixels between processes. The bare app gives
the same answers from the same folder, with nothing between; neither logs requests. Requests per second, as ratios.

    python -m bench.gateway [--runs N] [--seconds S]
"""

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bench.http_load import requests_per_second
from deploy.local.demo import FORM, SAMPLE
from deploy.local.supervisor import Ports
from gateway.audiences import Audiences
from gateway.settings import GatewaySettings
from services.history.keys import RECORDS
from tests.processes import Parts, parts

RECORDS_KEPT = 100
ROUNDS = 3
FOLDER = "BENCH_FOLDER"


def bare_app() -> FastAPI:
    """Make the app that is compared with: the same answers, from the same folder."""
    app, folder, settings = FastAPI(), Path(os.environ[FOLDER]), GatewaySettings()
    audiences = Audiences(settings.audience_file, settings.users_file)

    @app.get("/api/target-audiences")
    async def target_audiences() -> dict[str, dict[str, str]]:
        return audiences.options

    @app.get("/api/history")
    async def history() -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = json.loads((folder / RECORDS).read_bytes())
        return records

    app.mount("/static", StaticFiles(directory=folder / "static"))
    return app


@contextmanager
def bare(folder: Path) -> Iterator[str]:
    """Serve that app as the gateway is served, and give its address."""
    port = Ports.free().gateway
    command = [sys.executable, "-m", "uvicorn", "--factory", "bench.gateway:bare_app", "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603
        [*command, "--no-access-log", "--log-level", "warning"], env={**os.environ, FOLDER: str(folder)}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                httpx.get(f"{url}/api/history", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def overhead_ms(running: Parts, line: http.client.HTTPConnection, form: dict[str, str]) -> float:
    """Make ads, once; give the milliseconds beyond what the services say."""
    services = (running.engines, running.history)
    before = [len(process.lines) for process in services]
    headers, body = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form)
    start = time.perf_counter()
    line.request("POST", "/api/generate-product", body, headers)
    answer = line.getresponse()
    answer.read()
    whole = time.perf_counter() - start
    assert answer.status == httpx.codes.OK  # noqa: S101
    time.sleep(0.05)  # their last lines are on their way
    longest: dict[str, float] = {}  # backgrounds are made and looked at side by side
    for process, already in zip(services, before, strict=True):
        for event in map(json.loads, process.lines[already:]):
            if event["event"] == "call":
                longest[event["method"]] = max(event["seconds"], longest.get(event["method"], 0))
    return 1000 * (whole - sum(longest.values()))


def median_overhead(running: Parts, form: dict[str, str], runs: int) -> float:
    """Make ads, one after another, over one plain connection: a client library would count as the gateway's."""
    with closing(http.client.HTTPConnection("127.0.0.1", running.gateway.port)) as line:
        return statistics.median(overhead_ms(running, line, form) for _ in range(runs))


def compare(ours: str, theirs: str, paths: dict[str, str], seconds: float) -> dict[str, dict[str, float]]:
    """Ask both for each path, by turns; give requests per second and the ratio."""
    found = {}
    for name, path in paths.items():
        rates: dict[str, list[float]] = {ours: [], theirs: []}
        for _ in range(ROUNDS):
            for url, rate in rates.items():
                rate.append(asyncio.run(requests_per_second(url, path, seconds)))
        gateway, reference = (statistics.median(rate) for rate in rates.values())
        found[name] = {"gateway": round(gateway), "bare": round(reference), "ratio": round(gateway / reference, 2)}
    return found


def upload_sample(client: httpx.Client) -> dict[str, str]:
    """Upload the sample photo; give the fields of a generation of it."""
    upload = client.post("/api/upload-image", files={"product_image": (SAMPLE.name, SAMPLE.read_bytes())}).json()
    return {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}


@contextmanager
def started(**environment: str) -> Iterator[tuple[Parts, Path, httpx.Client]]:
    """Start the system; give it, its folder, and a client."""
    with (
        tempfile.TemporaryDirectory() as folder,
        parts(Path(folder), {"FIXED_SECONDS": "0.01", "GATEWAY_LOG_LEVEL": "WARNING", **environment}) as running,
        httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=60) as client,
    ):
        yield running, Path(folder), client


def measure(runs: int, seconds: float) -> dict[str, Any]:
    """Give all figures."""
    with started(FIXED_LARGEST_SIDE="64") as (running, _, client):
        overhead_small = median_overhead(running, upload_sample(client), runs)
    with started() as (running, folder, client):
        form = upload_sample(client)
        overhead = median_overhead(running, form, runs)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.post("/api/generate-product", data=form), range(RECORDS_KEPT - runs)))
        records = client.get("/api/history").json()
        picture = next(path for path in records[-1]["generated_images"] if "300x250" in path)
        size = len(client.get(f"/static/{picture}").content)
        paths = {"target_audiences": "/api/target-audiences", "history": "/api/history", "static": f"/static/{picture}"}
        with bare(folder) as reference:
            routes = compare(running.gateway.url, reference, paths, seconds)
    return {
        "overhead_ms": round(overhead, 1),
        "overhead_small_ms": round(overhead_small, 1),
        "picture_kb": size // 1000,
        "records": len(records),
        "routes": routes,
    }


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=2)
    arguments = parser.parse_args()
    figures = measure(arguments.runs, arguments.seconds)
    print(f"a generation takes {figures['overhead_ms']} ms beyond its stages")
    print(f"with backgrounds of a few pixels, {figures['overhead_small_ms']} ms\n")
    print(f"{'requests/s':18}{'gateway':>10}{'bare':>10}{'ratio':>8}")
    for name, row in figures["routes"].items():
        print(f"{name:18}{row['gateway']:>10}{row['bare']:>10}{row['ratio']:>8}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
