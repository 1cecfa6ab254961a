"""How much memory the segmentation service takes over many requests of mixed sizes and kinds.

Starts the service on its default engines, as `make run` does, and sends it cut-outs, prompted cut-outs and searches for
objects, by turns, of pictures from 200 to 3000 pixels wide. The reference of the ratio is what it held after the first
tenth: near 1 means that it does not grow.

    python -m bench.memory [REQUESTS]
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from deploy.local.supervisor import HOST, Ports, running
from productimage.image.v1 import image_pb2
from productimage.segmentation.v1 import segmentation_pb2
from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceStub
from services.runtime.channel import open_channel
from services.runtime.image import Pixels, encode_jpeg
from services.runtime.settings import ChannelSettings

if TYPE_CHECKING:
    from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceAsyncStub

SAMPLE = Path("deploy/local/sample.jpg")
WIDTHS = (600, 200, 1024, 3000, 800, 1600)
POINTS = 10
"""How many points of the curve are printed."""


async def measure(requests: int) -> dict[str, float]:
    """Send the requests and give peak and growth in MB."""
    photo = np.asarray(cv2.cvtColor(np.asarray(cv2.imread(str(SAMPLE)), np.uint8), cv2.COLOR_BGR2RGB), np.uint8)
    curve: list[int] = []
    async with running(ports := Ports.free(), {"HISTORY_STORE": "disk"}, lambda _line: None) as processes:
        pid = processes.pids["segmentation"]
        async with open_channel(f"{HOST}:{ports.segmentation}", ChannelSettings()) as channel:
            stub: SegmentationServiceAsyncStub = SegmentationServiceStub(channel)
            for number in range(requests):
                await _send(stub, photo, number)
                curve.append(_megabytes(pid, "VmRSS"))
                if (number + 1) % max(1, requests // POINTS) == 0:
                    print(f"{number + 1:5} requests: {curve[-1]:5} MB held, {_megabytes(pid, 'VmHWM'):5} MB at most")
        peak = _megabytes(pid, "VmHWM")
    early, late = curve[: max(1, requests // 10)], curve[-max(1, requests // 10) :]
    return {"peak_mb": peak, "held_mb": late[-1], "ratio": round(max(late) / max(early), 3)}


async def _send(stub: "SegmentationServiceAsyncStub", photo: Pixels, number: int) -> None:
    width = WIDTHS[number % len(WIDTHS)] + number  # no picture twice: none is answered from the cache
    scaled = cv2.resize(photo, (width, width * photo.shape[0] // photo.shape[1]), interpolation=cv2.INTER_AREA)
    picture = image_pb2.Image(encoded=encode_jpeg(np.asarray(scaled, np.uint8), 90))
    kind = number % 3
    if kind == 0:
        await stub.CutOut(segmentation_pb2.CutOutRequest(photo=picture), timeout=60)
    elif kind == 1:
        box = image_pb2.Box(left=width // 5, top=0, right=width * 4 // 5, bottom=scaled.shape[0])
        await stub.CutOut(segmentation_pb2.CutOutRequest(photo=picture, box=box), timeout=60)
    else:
        await stub.FindObjects(segmentation_pb2.FindObjectsRequest(picture=picture), timeout=60)


def _megabytes(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) // 1024


def main() -> None:
    """Print the curve and, as the last line, the figures as JSON."""
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 300))))


if __name__ == "__main__":
    main()
