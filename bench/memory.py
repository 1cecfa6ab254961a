"""How much memory a model service takes over many requests of mixed sizes and kinds.

Starts the services on their engines, as `make run` does, and sends segmentation cut-outs, prompted cut-outs and
searches for objects, by turns, or inpainting pictures with one hole or several, of pictures from 200 to 3000 pixels
wide; inpainting gets one of 4000x3000 with a hole of 1500 at the end. The reference of the ratio is what was held after
the first tenth: near 1 means that it does not grow.

    python -m bench.memory [segmentation|inpainting] [REQUESTS]
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import grpc
import numpy as np

from deploy.local.supervisor import HOST, Ports, running
from productimage.image.v1 import image_pb2
from productimage.inpainting.v1 import inpainting_pb2
from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceStub
from productimage.segmentation.v1 import segmentation_pb2
from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceStub
from services.runtime.channel import open_channel
from services.runtime.image import Pixels, encode_jpeg, to_message
from services.runtime.settings import ChannelSettings

if TYPE_CHECKING:
    from productimage.inpainting.v1.inpainting_pb2_grpc import InpaintingServiceAsyncStub
    from productimage.segmentation.v1.segmentation_pb2_grpc import SegmentationServiceAsyncStub

SAMPLE = Path("gateway/studio/sample.jpg")
WIDTHS = (600, 200, 1024, 3000, 800, 1600)
POINTS = 10
"""How many points of the curve are printed."""


async def measure(service: str, requests: int) -> dict[str, float | str]:
    """Send the requests and give peak and growth in MB."""
    photo = np.asarray(cv2.cvtColor(np.asarray(cv2.imread(str(SAMPLE)), np.uint8), cv2.COLOR_BGR2RGB), np.uint8)
    curve: list[int] = []
    async with running(ports := Ports.free(), {"HISTORY_STORE": "disk"}, lambda _line: None) as processes:
        pid = processes.pids[service]
        async with open_channel(f"{HOST}:{getattr(ports, service)}", ChannelSettings()) as channel:
            send = SENDERS[service]
            for number in range(requests):
                # No picture twice: none is answered from a cache.
                await send(channel, _scaled(photo, WIDTHS[number % len(WIDTHS)] + number), number)
                curve.append(_megabytes(pid, "VmRSS"))
                if (number + 1) % max(1, requests // POINTS) == 0:
                    print(f"{number + 1:5} requests: {curve[-1]:5} MB held, {_megabytes(pid, 'VmHWM'):5} MB at most")
            peak = _megabytes(pid, "VmHWM")
            if service == "inpainting":
                await _send_inpainting(channel, _scaled(photo, 4000)[:3000], 0)
            largest = _megabytes(pid, "VmHWM")
    early, late = curve[: max(1, requests // 10)], curve[-max(1, requests // 10) :]
    ratio = round(max(late) / max(early), 3)
    return {"service": service, "peak_mb": peak, "held_mb": late[-1], "ratio": ratio, "peak_with_large_mb": largest}


def _scaled(photo: Pixels, width: int) -> Pixels:
    height = width * photo.shape[0] // photo.shape[1]
    return np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


async def _send_inpainting(channel: grpc.aio.Channel, photo: Pixels, number: int) -> None:
    """One large hole, or one and a few small ones."""
    height, width = photo.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    side = width * 3 // 8
    mask[height // 3 : height // 3 + side, width // 4 : width // 4 + side] = 255
    for corner in range(number % 3):
        mask[8 : 8 + width // 20, corner * width // 3 : corner * width // 3 + width // 20] = 255
    stub: InpaintingServiceAsyncStub = InpaintingServiceStub(channel)
    picture = image_pb2.Image(encoded=encode_jpeg(photo, 90))
    await stub.Inpaint(inpainting_pb2.InpaintRequest(picture=picture, mask=to_message(mask)), timeout=60)


async def _send_segmentation(channel: grpc.aio.Channel, photo: Pixels, number: int) -> None:
    stub: SegmentationServiceAsyncStub = SegmentationServiceStub(channel)
    height, width = photo.shape[:2]
    picture = image_pb2.Image(encoded=encode_jpeg(photo, 90))
    kind = number % 3
    if kind == 0:
        await stub.CutOut(segmentation_pb2.CutOutRequest(photo=picture), timeout=60)
    elif kind == 1:
        box = image_pb2.Box(left=width // 5, top=0, right=width * 4 // 5, bottom=height)
        await stub.CutOut(segmentation_pb2.CutOutRequest(photo=picture, box=box), timeout=60)
    else:
        await stub.FindObjects(segmentation_pb2.FindObjectsRequest(picture=picture), timeout=60)


SENDERS = {"segmentation": _send_segmentation, "inpainting": _send_inpainting}


def _megabytes(pid: int, field: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) // 1024


def main() -> None:
    """Print the curve and, as the last line, the figures as JSON."""
    service = sys.argv[1] if len(sys.argv) > 1 else "segmentation"
    print(json.dumps(asyncio.run(measure(service, int(sys.argv[2]) if len(sys.argv) > 2 else 300))))


if __name__ == "__main__":
    main()
