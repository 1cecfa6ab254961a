"""Hostile callers: what 64 of each kind cost the others, without a key.

While they are at it, another process asks for `/healthz` 25 times a second, and one honest upload is sent from another
address; `upload_seconds` is until it is taken.
`ratio` is the worst 99th percentile over that at rest. The kinds are those of `testing/hostile.py`.

    python -m bench.hostile [SOCKETS] [SECONDS]
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from bench.overload import Probes, resident_mb
from testing.hostile import KINDS, hostile_callers
from testing.pictures import ball, encoded
from testing.processes import Parts, parts

REST_SECONDS = 5.0
PATH = "/healthz"
PATIENCE_SECONDS = 60.0
HONEST = "127.0.0.2"
"""Address of the honest caller: places are shared among addresses."""


def measure(running: Parts, kind: str, sockets: int, seconds: float, picture: str) -> dict[str, Any]:
    """Return the figures of one kind."""
    before = most = resident_mb(running.gateway)
    with hostile_callers(kind, sockets, running.gateway.port, picture), Probes(running.gateway.url, [PATH]) as probes:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            most = max(most, resident_mb(running.gateway))
            time.sleep(0.05)
        upload = _until_uploaded(running.gateway.url)
    return {
        "p99_ms": round(probes.p99[PATH] * 1000, 1),
        "more_mb": most - before,
        "upload_seconds": round(upload, 2),
    }


def _until_uploaded(url: str) -> float:
    start = time.monotonic()
    photo = {"product_image": ("a.png", encoded(ball(160, 120)[0]))}
    transport = httpx.HTTPTransport(local_address=HONEST)
    with httpx.Client(base_url=url, transport=transport, timeout=PATIENCE_SECONDS) as client:
        while (answer := client.post("/api/upload-image", files=photo)).status_code == 429:
            if time.monotonic() - start > PATIENCE_SECONDS:
                raise SystemExit(f"No upload is taken for {PATIENCE_SECONDS:.0f} s.")
            time.sleep(0.1)
    answer.raise_for_status()
    return time.monotonic() - start


def main(sockets: int, seconds: float) -> None:
    """Print a table and, as the last line, the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder, parts(Path(folder), {"FIXED_SECONDS": "0"}) as running:
        with httpx.Client(base_url=running.gateway.url, trust_env=False) as client:
            photo = {"product_image": ("a.png", encoded(ball(1600, 1200)[0]))}
            picture = client.post("/api/upload-image", files=photo).json()["filename"]
        with Probes(running.gateway.url, [PATH]) as at_rest:
            time.sleep(REST_SECONDS)
        rest = at_rest.p99[PATH] * 1000
        print(f"{'kind':18} {'p99, ms':>8} {'more MB':>8} {'upload, s':>10}\n{'at rest':18} {rest:8.1f}")
        kinds = {}
        for kind in KINDS:
            kinds[kind] = measure(running, kind, sockets, seconds, f"/static/{picture}")
            print(f"{kind:18} " + "{p99_ms:8.1f} {more_mb:8} {upload_seconds:10.2f}".format(**kinds[kind]))
    worst = max(row["p99_ms"] for row in kinds.values())
    result = {"sockets": sockets, "at_rest_ms": round(rest, 1), "worst_p99_ms": worst, "ratio": round(worst / rest, 1)}
    print(json.dumps({**result, "most_more_mb": max(row["more_mb"] for row in kinds.values()), "kinds": kinds}))


if __name__ == "__main__":
    numbers = [float(one) for one in sys.argv[1:]]
    main(int(numbers[0]) if numbers else 64, numbers[1] if len(numbers) > 1 else 5)
