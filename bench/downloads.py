"""Downloads under pressure: many readers of a large picture at one time, half of whom never read.

Readers ask for a picture of 12 MiB through a real gateway and history. Those who read must get it whole or be refused
at the start; meanwhile, another process asks for a page of records, 25 times a second. `ratio` is the 99th percentile
of those calls under pressure over that at rest. Memory is the most that each process held.

    python -m bench.downloads [READERS] [SECONDS]
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx

from bench.overload import Probes
from testing.pictures import ball, encoded
from testing.processes import Parts, parts

SIZE = 12 << 20
REST_SECONDS = 5.0
PAGE = "/api/records?page_size=1"


async def main(readers: int, seconds: float) -> None:
    """Measure, and print a table and a JSON object."""
    with tempfile.TemporaryDirectory() as folder, parts(Path(folder), {"FIXED_SECONDS": "0"}) as running:
        url = running.gateway.url
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            photo = {"product_image": ("a.png", encoded(ball(160, 120)[0]))}
            upload = (await client.post("/api/upload-image", files=photo)).json()
        picture = Path(folder, "static", upload["filename"])
        picture.write_bytes(os.urandom(SIZE))
        with Probes(url, [PAGE]) as at_rest:
            await asyncio.sleep(REST_SECONDS)
        outcomes: Counter[str] = Counter()
        tasks = [
            asyncio.create_task(_read(running, f"/static/{upload['filename']}", outcomes, silent=number % 2 == 0))
            for number in range(readers)
        ]
        await asyncio.sleep(1)
        with Probes(url, [PAGE]) as under_pressure:
            await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        memory = {name: _peak(process.pid) for name, process in vars(running).items() if name != "engines"}
    result = {
        "readers": readers,
        **{name: outcomes[name] for name in ("whole", "refused", "cut off")},
        "p99_at_rest_ms": round(at_rest.p99[PAGE] * 1000, 1),
        "p99_under_pressure_ms": round(under_pressure.p99[PAGE] * 1000, 1),
        "ratio": round(under_pressure.p99[PAGE] / at_rest.p99[PAGE], 2),
        "peak_mb": memory,
    }
    for name, value in result.items():
        print(f"{name:22} {value}")
    print(json.dumps(result))


async def _read(running: Parts, path: str, outcomes: Counter[str], *, silent: bool) -> None:
    """Ask for the picture again and again; count how it ends each time."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.gateway.port, limit=1 << 14)
        except OSError:
            await asyncio.sleep(0.5)
            continue
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        try:
            if silent:
                await asyncio.sleep(60)
                continue
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 429 " in head.split(b"\r\n")[0]:
                outcomes["refused"] += 1
                await asyncio.sleep(1)
                continue
            got = 0
            while chunk := await reader.read(1 << 16):
                got += len(chunk)
            outcomes["whole" if got == SIZE else "cut off"] += 1
        except (OSError, asyncio.IncompleteReadError):
            outcomes["cut off"] += 1
        finally:
            writer.close()


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) >> 10


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]]
    asyncio.run(main(int(numbers[0]) if numbers else 300, numbers[1] if len(numbers) > 1 else 20))
