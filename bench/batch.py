"""How memory and speed of `product-image batch` change with the length of a catalogue, against a short one.

The gateway and the history are real, the engines only pretend to work.

    python -m bench.batch [PRODUCTS]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from testing.pictures import cut_ball
from testing.processes import parts

SHORT = 100


def measure(products: int) -> dict[str, float]:
    """Run a short catalogue and one of this many products; return seconds a product, and MB at the most."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, parts(Path(name) / "store") as system:
        for what, number in (("short", SHORT), ("long", products)):
            folder = Path(name) / what
            folder.mkdir()
            (folder / "photo.png").write_bytes(cut_ball(64))
            rows = "".join(f"photo.png,{what} {one},300x250\n" for one in range(number))
            (folder / "catalogue.csv").write_text(f"photo,name,sizes\n{rows}")
            start = time.monotonic()
            found[f"{what}_MB"] = _run(system.gateway.url, folder)
            found[f"{what}_seconds"] = (time.monotonic() - start) / number
    return found


def _run(address: str, folder: Path) -> float:
    """Run a batch; return the most memory that it had, in MB."""
    command = [sys.executable, "-m", "cli", "--gateway", address, "batch", "catalogue.csv", "--out", "ads"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(  # noqa: S603  # ours
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        most = 0
        while running.poll() is None:
            try:
                status = Path(f"/proc/{running.pid}/status").read_text()
            except OSError:
                break
            peak = re.search(r"VmHWM:\s+(\d+)", status)
            most = max(most, int(peak[1]) if peak else 0)
            time.sleep(0.2)
    if running.returncode:
        raise SystemExit(f"the batch failed: {folder}")
    return most / 1024


def main(products: int) -> None:
    """Measure and print."""
    found = measure(products)
    print(f"{'products':>10} {'MB':>8} {'ms a product':>14}")
    for what, number in (("short", SHORT), ("long", products)):
        print(f"{number:>10} {found[f'{what}_MB']:>8.1f} {1000 * found[f'{what}_seconds']:>14.1f}")
    grown = (found["long_MB"] - found["short_MB"]) / (products - SHORT)
    result = {
        "products": products,
        "memory_ratio": round(found["long_MB"] / found["short_MB"], 3),
        "MB_per_100000_more": round(100_000 * grown, 1),
        "time_ratio": round(found["long_seconds"] / found["short_seconds"], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
