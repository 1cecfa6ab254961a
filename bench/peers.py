"""Cut-outs of this project and of the rembg package, net by net: same pictures, same machine, one run.

Each is asked through its own server, by 1 and by 4 callers: ours over gRPC, rembg's over HTTP. FOLDER is as in
bench/cutout_quality.py; WEIGHTS holds mobile_sam.pt and ONNX files named as rembg names its sessions; PYTHON is an
interpreter with `rembg[cli,cpu]`.

    python -m bench.peers FOLDER WEIGHTS PYTHON [--nets u2netp u2net] [--every N]
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import httpx
import numpy as np

from bench.memory import megabytes
from bench.pictures import read
from bench.scores import Alpha, score
from cli.ports import Ports
from productimage import ProductImageError
from productimage.clients.segmentation import SegmentationClient
from productimage.connection import connect
from productimage.errors import NothingFoundError
from testing.processes import Process

Cut = Callable[[bytes], Awaitable[bytes]]
CALLERS = (1, 4)


@dataclass(frozen=True)
class Peer:
    """A server to measure: how to ask it, and its process."""

    cut: Cut
    pid: int


@asynccontextmanager
async def ours(net: str, weights: Path) -> AsyncIterator[Peer]:
    """Run our segmentation service with a net."""
    settings = {
        "SEGMENTATION_WEIGHTS_DIR": str(weights),
        "SEGMENTATION_NET": net,
        "SEGMENTATION_EMBEDDING_CACHE_MB": "0",
    }
    port = Ports.free().segmentation
    process = Process("services.segmentation", port, {**settings, "SEGMENTATION_PORT": str(port)})
    process.start()
    try:
        async with connect(f"127.0.0.1:{port}") as connection:
            client = SegmentationClient(connection)

            async def cut(photo: bytes) -> bytes:
                try:
                    return (await client.cut_out(photo)).cutout.encoded
                except NothingFoundError:
                    return b""

            yield Peer(cut, process.pid)
    finally:
        process.kill()


@asynccontextmanager
async def rembg(net: str, weights: Path, python: Path) -> AsyncIterator[Peer]:
    """Run rembg's server."""
    port = Ports.free().segmentation
    environment = {**os.environ, "U2NET_HOME": str(weights), "BROWSER": "true"}
    with _running([str(python.parent / "rembg"), "s", "--port", str(port), "--no-ui"], environment) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=300) as http:

            async def cut(photo: bytes) -> bytes:
                answer = await http.post("/api/remove", files={"file": photo}, data={"model": net})
                return answer.raise_for_status().content

            yield Peer(cut, process.pid)


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def measure(peer: Peer, folder: Path, every: int) -> dict[str, float]:
    """Return quality, throughput and memory of a server."""
    paths = sorted((folder / "images").iterdir())[::every]
    photos = [path.read_bytes() for path in paths]
    await _once_up(peer, photos[0])
    first = megabytes(peer.pid, "VmRSS")
    rates: dict[str, float] = {}
    answers: list[bytes] = []
    for callers in CALLERS:
        start = time.perf_counter()
        answers = await _asked(peer.cut, photos, callers)
        rates[f"per_second_{callers}"] = len(photos) / (time.perf_counter() - start)
    scores = [
        score(_alpha(answer, truth), truth) for answer, truth in zip(answers, _truths(folder, paths), strict=True)
    ]
    return {
        "iou": statistics.mean(one.iou for one in scores),
        "mae": statistics.mean(one.mae for one in scores),
        "boundary_f": statistics.mean(one.boundary_f for one in scores),
        "opened": sum(one.opened for one in scores) / max(1, sum(one.openings for one in scores)),
        **rates,
        "first_mb": first,
        "last_mb": megabytes(peer.pid, "VmRSS"),
    }


async def _once_up(peer: Peer, photo: bytes) -> None:
    for _ in range(240):
        try:
            await peer.cut(photo)
        except (httpx.HTTPError, ProductImageError):
            await asyncio.sleep(0.5)
        else:
            return
    raise SystemExit("a server did not start")


async def _asked(cut: Cut, photos: list[bytes], callers: int) -> list[bytes]:
    answers = [b""] * len(photos)
    rest = iter(enumerate(photos))

    async def caller() -> None:
        for number, photo in rest:
            answers[number] = await cut(photo)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return answers


def _truths(folder: Path, paths: list[Path]) -> Iterator[Alpha]:
    for path in paths:
        yield np.asarray(read(folder / "masks" / f"{path.stem}.png")[..., 0] / 255, np.float32)


def _alpha(answer: bytes, truth: Alpha) -> Alpha:
    if not answer:
        return np.zeros_like(truth)
    pixels = cv2.imdecode(np.frombuffer(answer, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise SystemExit("a server sent no picture")
    return np.asarray(pixels[..., 3] / 255, np.float32)


async def _main(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    results: dict[str, dict[str, float]] = {}
    for net in arguments.nets:
        async with ours(net, arguments.weights) as peer:
            results[f"ours {net}"] = await measure(peer, arguments.folder, arguments.every)
        async with rembg(net, arguments.weights, arguments.python) as peer:
            results[f"rembg {net}"] = await measure(peer, arguments.folder, arguments.every)
    return results


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers")
    parser.add_argument("folder", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("python", type=Path)
    parser.add_argument("--nets", nargs="+", default=["u2netp", "u2net"])
    parser.add_argument("--every", type=int, default=1)
    results = asyncio.run(_main(parser.parse_args()))
    columns = list(next(iter(results.values())))
    print(f"{'':18}" + "".join(f"{column.replace('_', ' '):>14}" for column in columns))
    for name, figures in results.items():
        print(f"{name:18}" + "".join(f"{figures[column]:14.4f}" for column in columns))
    print(json.dumps({name: {key: round(value, 4) for key, value in one.items()} for name, one in results.items()}))


if __name__ == "__main__":
    main()
