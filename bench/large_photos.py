"""Large photos: how long others wait while photos of 20 MiB are taken, hashed and passed on, against small ones.

Callers upload one photo after another, with and without an Idempotency-Key, of which the gateway takes a digest of the
whole; meanwhile another process asks for `/healthz` 25 times a second. The engines only sleep. `ratio` is the worst
99th percentile beside large photos over that beside photos of 100 kB.

    python -m bench.large_photos [CALLERS] [SECONDS]
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.hostile import PATH
from bench.overload import Probes
from testing.pictures import ball, encoded
from testing.processes import Parts, parts

SIZES = {"100 kB": 100 << 10, "20 MiB": 20 << 20}
SMALL, LARGE = SIZES
KEYS = ("without a key", "with a key")


def photo_of(size: int) -> bytes:
    """Return a photo of a size in bytes: what follows the end of a PNG is noise, which nobody decodes here."""
    photo = encoded(ball(160, 120)[0])
    return photo + os.urandom(size - len(photo))


@contextmanager
def uploading(running: Parts, callers: int, photo: bytes, *, keyed: bool) -> Iterator[list[int]]:
    """Upload a photo again and again while entered; yield the status of each upload so far."""
    statuses: list[int] = []
    over = False

    def upload() -> None:
        with httpx.Client(base_url=running.gateway.url, trust_env=False, timeout=60) as client:
            while not over:
                headers = {"Idempotency-Key": uuid.uuid4().hex} if keyed else {}
                answer = client.post("/api/upload-image", files={"product_image": ("a.png", photo)}, headers=headers)
                statuses.append(answer.status_code)

    with ThreadPoolExecutor(callers) as pool:
        for _ in range(callers):
            pool.submit(upload)
        yield statuses
        over = True


def main(callers: int, seconds: float) -> None:
    """Print a table and, as the last line, the figures as JSON."""
    settings = {"FIXED_SECONDS": "0.05", "GATEWAY_MAX_SHARE": "1"}
    p99: dict[str, dict[str, float]] = {}
    print(f"{'photos':8} {'':14} {'uploads/s':>10} {'p99, ms':>8}")
    with tempfile.TemporaryDirectory() as folder, parts(Path(folder), settings) as running:
        for name, size in SIZES.items():
            p99[name] = {}
            photo = photo_of(size)
            for key in KEYS:
                with (
                    uploading(running, callers, photo, keyed=key == KEYS[1]) as statuses,
                    Probes(running.gateway.url, [PATH]) as probes,
                ):
                    time.sleep(seconds)
                if set(statuses) - {httpx.codes.OK, httpx.codes.TOO_MANY_REQUESTS}:
                    raise SystemExit(f"Uploads failed: {sorted(set(statuses))}")
                p99[name][key] = round(probes.p99[PATH] * 1000, 1)
                print(f"{name:8} {key:14} {statuses.count(httpx.codes.OK) / seconds:10.1f} {p99[name][key]:8.1f}")
    ratio = round(max(p99[LARGE].values()) / max(p99[SMALL].values()), 2)
    print(json.dumps({"callers": callers, "ratio": ratio, "p99_ms": p99}))


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]]
    main(int(numbers[0]) if numbers else 1, numbers[1] if len(numbers) > 1 else 8)
