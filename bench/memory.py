"""Memory of a model service over many requests of mixed sizes and kinds.

Starts the services on their engines, as `make run` does. Segmentation gets cutouts, prompted cutouts and object
searches in turn; inpainting gets pictures with one or several holes and, at the end, one of 4000x3000 with a hole of
1500 pixels. Widths cycle from 200 to 3000 pixels, plus one per request. `ratio` is the most memory held in the last
tenth of the requests over that in the first tenth: near 1 means no growth.

    python -m bench.memory [segmentation|inpainting] [REQUESTS]
"""

import asyncio
import json
import sys
from pathlib import Path

import cv2
import numpy as np

from cli.ports import HOST, Ports
from cli.supervisor import running
from common.imaging.codec import Pixels, encode_jpeg
from common.imaging.messages import to_message
from productimage import Connection, InpaintingClient, SegmentationClient, connect
from productimage.image.v1 import image_pb2

SAMPLE = Path("gateway/web/sample.jpg")
WIDTHS = (600, 200, 1024, 3000, 800, 1600)
POINTS = 10
"""Number of points of the curve that are printed."""


async def measure(service: str, requests: int) -> dict[str, float | str]:
    """Send the requests; return peak and held MB, and their growth."""
    photo = np.asarray(cv2.cvtColor(np.asarray(cv2.imread(str(SAMPLE)), np.uint8), cv2.COLOR_BGR2RGB), np.uint8)
    curve: list[int] = []
    async with running(ports := Ports.free(), {"HISTORY_STORE": "disk"}, lambda _line: None) as processes:
        pid = processes.pids[service]
        async with connect(f"{HOST}:{getattr(ports, service)}") as connection:
            send = SENDERS[service]
            for number in range(requests):
                # No picture is sent twice, so that none is served from a cache.
                await send(connection, _scaled(photo, WIDTHS[number % len(WIDTHS)] + number), number)
                curve.append(megabytes(pid, "VmRSS"))
                if (number + 1) % max(1, requests // POINTS) == 0:
                    print(f"{number + 1:5} requests: {curve[-1]:5} MB held, {megabytes(pid, 'VmHWM'):5} MB at most")
            peak = megabytes(pid, "VmHWM")
            if service == "inpainting":
                await _send_inpainting(connection, _scaled(photo, 4000)[:3000], 0)
            largest = megabytes(pid, "VmHWM")
    early, late = curve[: max(1, requests // 10)], curve[-max(1, requests // 10) :]
    ratio = round(max(late) / max(early), 3)
    return {"service": service, "peak_mb": peak, "held_mb": late[-1], "ratio": ratio, "peak_with_large_mb": largest}


def _scaled(photo: Pixels, width: int) -> Pixels:
    height = width * photo.shape[0] // photo.shape[1]
    return np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


async def _send_inpainting(connection: Connection, photo: Pixels, number: int) -> None:
    """Send a picture with one large hole and up to two small ones."""
    height, width = photo.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    side = width * 3 // 8
    mask[height // 3 : height // 3 + side, width // 4 : width // 4 + side] = 255
    for corner in range(number % 3):
        mask[8 : 8 + width // 20, corner * width // 3 : corner * width // 3 + width // 20] = 255
    await InpaintingClient(connection).inpaint(image_pb2.Image(encoded=encode_jpeg(photo, 90)), to_message(mask))


async def _send_segmentation(connection: Connection, photo: Pixels, number: int) -> None:
    client = SegmentationClient(connection)
    height, width = photo.shape[:2]
    file = encode_jpeg(photo, 90)
    kind = number % 3
    if kind == 0:
        await client.cut_out(file, encoding=image_pb2.IMAGE_ENCODING_RAW)
    elif kind == 1:
        box = image_pb2.Box(left=width // 5, top=0, right=width * 4 // 5, bottom=height)
        await client.cut_out(file, box=box, encoding=image_pb2.IMAGE_ENCODING_RAW)
    else:
        await client.find_objects(image_pb2.Image(encoded=file))


SENDERS = {"segmentation": _send_segmentation, "inpainting": _send_inpainting}


def megabytes(pid: int, field: str) -> int:
    """Return a field of the status of a process, such as VmRSS, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field)) // 1024


def main() -> None:
    """Print the curve and, as the last line, the figures as JSON."""
    service = sys.argv[1] if len(sys.argv) > 1 else "segmentation"
    print(json.dumps(asyncio.run(measure(service, int(sys.argv[2]) if len(sys.argv) > 2 else 300))))


if __name__ == "__main__":
    main()
