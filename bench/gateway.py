"""Overhead of the gateway and gRPC per generation, and throughput of its cheap routes against a bare FastAPI app.

The engines only sleep. `overhead_ms` is the time of a generation beyond the call times that the services log;
`overhead_small_ms` is the same with tiny backgrounds, so without the cost of moving pixels between processes.
`floor_ms` and `floor_small_ms` are the overhead of the same calls over plain gRPC channels, without the gateway; the
difference is ours. The bare app serves the same responses from the same folder. Neither logs requests. Routes are
compared by the ratio of requests per second.

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
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
import httpx
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bench.http_load import requests_per_second
from cli.demo import FORM, SAMPLE
from cli.ports import Ports
from gateway.ad_sizes import AdSize, Family, parse_sizes
from gateway.audiences import Audiences
from gateway.pipelines.scene import short_side
from gateway.settings import GatewaySettings
from productimage.generation.v1 import generation_pb2, generation_pb2_grpc
from productimage.image.v1 import image_pb2
from productimage.record.v1 import record_pb2, record_pb2_grpc
from productimage.segmentation.v1 import segmentation_pb2, segmentation_pb2_grpc
from productimage.upload.v1 import upload_pb2, upload_pb2_grpc
from services.history.paths import RECORDS
from testing.processes import Parts, parts

RECORDS_KEPT = 100
ROUNDS = 3
FOLDER = "BENCH_FOLDER"
SIZES = parse_sizes("")


def bare_app() -> FastAPI:
    """Create the reference app: the same responses, from the same folder."""
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
    """Serve the bare app as the gateway is served; yield its URL."""
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


class PlainCalls:
    """The RPCs of a generation over plain gRPC channels."""

    def __init__(self, engines: grpc.aio.Channel, history: grpc.aio.Channel, timestamp: str) -> None:
        self._channels = (engines, history)
        self._generation = generation_pb2_grpc.GenerationServiceStub(engines)
        self._segmentation = segmentation_pb2_grpc.SegmentationServiceStub(engines)
        self._uploads = upload_pb2_grpc.UploadServiceStub(history)
        self._records = record_pb2_grpc.RecordServiceStub(history)
        self._timestamp = timestamp

    @classmethod
    async def opened(cls, running: Parts, timestamp: str) -> "PlainCalls":
        """Open the channels in the event loop that will use them."""
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        ports = (running.engines.port, running.history.port)
        engines, history = (grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) for port in ports)
        return cls(engines, history, timestamp)

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels:
            await channel.close()

    async def make_ads(self) -> None:
        """Make the RPCs of the gateway's generation pipeline."""
        upload = await self._uploads.GetUpload(upload_pb2.GetUploadRequest(timestamp=self._timestamp))
        product = generation_pb2.Product(name=FORM["product_name"], description=FORM["product_describe"])
        copy = await self._generation.WriteCopy(generation_pb2.WriteCopyRequest(product=product))
        families: dict[Family, list[AdSize]] = {}
        for size in SIZES:
            families.setdefault(size.family, []).append(size)
        scenes = await asyncio.gather(*(self._scene(*item) for item in families.items()))
        sizes = [generation_pb2.CreativeSize(width=size.width, height=size.height) for size in SIZES]
        cutout = image_pb2.Image(encoded=upload.cutout)
        composed = await self._generation.ComposeCreatives(
            generation_pb2.ComposeCreativesRequest(scenes=scenes, cutout=cutout, sizes=sizes)
        )
        await self._records.SaveGeneration(
            record_pb2.SaveGenerationRequest(
                request_id=uuid.uuid4().hex,
                timestamp=self._timestamp,
                record=record_pb2.Record(short_ad=copy.short_ad, long_ad=copy.long_ad),
                pictures=[
                    record_pb2.Picture(name=size.name, file=creative.file)
                    for size, creative in zip(SIZES, composed.creatives, strict=True)
                ],
            )
        )

    async def _scene(self, family: Family, sizes: list[AdSize]) -> generation_pb2.Scene:
        made = await self._generation.GenerateBackground(
            generation_pb2.GenerateBackgroundRequest(
                aspect_ratio=generation_pb2.AspectRatio(width=family[0], height=family[1]),
                short_side=short_side(family, sizes),
            )
        )
        found = await self._segmentation.FindObjects(segmentation_pb2.FindObjectsRequest(picture=made.picture))
        placed = await self._generation.PlaceProduct(
            generation_pb2.PlaceProductRequest(
                picture=made.picture,
                placement=made.placement,
                things=[thing.region for thing in found.objects],
                surfaces=found.surfaces,
            )
        )
        return generation_pb2.Scene(picture=made.picture, placement=placed.placement)


def overhead_ms(running: Parts, make_ads: Callable[[], None]) -> float:
    """Make ads once; return the time beyond the logged call times, in milliseconds."""
    services = (running.engines, running.history)
    before = [len(process.lines) for process in services]
    start = time.perf_counter()
    make_ads()
    whole = time.perf_counter() - start
    time.sleep(0.05)  # their last log lines may still be in flight
    longest: dict[str, float] = {}  # backgrounds are generated and searched in parallel
    for process, already in zip(services, before, strict=True):
        for event in map(json.loads, process.lines[already:]):
            if event["event"] == "call":
                longest[event["method"]] = max(event["seconds"], longest.get(event["method"], 0))
    return 1000 * (whole - sum(longest.values()))


def overheads(running: Parts, form: dict[str, str], runs: int) -> tuple[float, float]:
    """Make ads through the gateway and by plain calls, in turn.

    Returns:
        Median overhead of each, in milliseconds.
    """
    headers, body = {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(form)
    # A bare connection: the cost of a client library would count as the gateway's.
    with closing(http.client.HTTPConnection("127.0.0.1", running.gateway.port)) as line, asyncio.Runner() as runner:

        def by_gateway() -> None:
            line.request("POST", "/api/generate-product", body, headers)
            answer = line.getresponse()
            answer.read()
            assert answer.status == httpx.codes.OK  # noqa: S101

        calls = runner.run(PlainCalls.opened(running, form["timestamp"]))
        pairs = [
            (overhead_ms(running, by_gateway), overhead_ms(running, lambda: runner.run(calls.make_ads())))
            for _ in range(runs)
        ]
        runner.run(calls.close())
    through_gateway, plain = zip(*pairs, strict=True)
    return statistics.median(through_gateway), statistics.median(plain)


def compare(ours: str, theirs: str, paths: dict[str, str], seconds: float) -> dict[str, dict[str, float]]:
    """Request each path from both in turn; return requests per second and their ratio."""
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
    """Upload the sample photo; return the form of a generation from it."""
    upload = client.post("/api/upload-image", files={"product_image": (SAMPLE.name, SAMPLE.read_bytes())}).json()
    return {**FORM, "product_image_filename": upload["filename"], "timestamp": upload["timestamp"]}


QUIET = {
    "FIXED_SECONDS": "0.01",
    "GATEWAY_LOG_LEVEL": "WARNING",
    "GATEWAY_MAX_SHARE": "1",
    "GATEWAY_MAX_DOWNLOADS": "64",
}
"""Settings that reject nothing."""


@contextmanager
def started(**environment: str) -> Iterator[tuple[Parts, Path, httpx.Client]]:
    """Start the system; yield it, its store folder and a client."""
    with (
        tempfile.TemporaryDirectory() as folder,
        parts(Path(folder), {**QUIET, **environment}) as running,
        httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=60) as client,
    ):
        yield running, Path(folder), client


def measure(runs: int, seconds: float) -> dict[str, Any]:
    """Return all figures."""
    with started(FIXED_LARGEST_SIDE="64") as (running, _, client):
        overhead_small, floor_small = overheads(running, upload_sample(client), runs)
    with started() as (running, folder, client):
        form = upload_sample(client)
        overhead, floor = overheads(running, form, runs)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.post("/api/generate-product", data=form), range(RECORDS_KEPT - 2 * runs)))
        records = client.get("/api/history").json()
        picture = next(path for path in records[-1]["generated_images"] if "300x250" in path)
        size = len(client.get(f"/static/{picture}").content)
        paths = {"target_audiences": "/api/target-audiences", "history": "/api/history", "static": f"/static/{picture}"}
        with bare(folder) as reference:
            routes = compare(running.gateway.url, reference, paths, seconds)
    return {
        "overhead_ms": round(overhead, 1),
        "floor_ms": round(floor, 1),
        "overhead_small_ms": round(overhead_small, 1),
        "floor_small_ms": round(floor_small, 1),
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
    print(f"{'beyond the stages, ms':34}{'gateway':>10}{'plain gRPC':>12}")
    print(f"{'a generation':34}{figures['overhead_ms']:>10}{figures['floor_ms']:>12}")
    print(f"{'with backgrounds of a few pixels':34}{figures['overhead_small_ms']:>10}{figures['floor_small_ms']:>12}\n")
    print(f"{'requests/s':18}{'gateway':>10}{'bare':>10}{'ratio':>8}")
    for name, row in figures["routes"].items():
        print(f"{name:18}{row['gateway']:>10}{row['bare']:>10}{row['ratio']:>8}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
