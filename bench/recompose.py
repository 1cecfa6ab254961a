"""How long a change of ads takes, as a ratio to making them: one product moved, and new words on all.

Runs the five processes on the default engines through the REST API, on a set and on a picture of the user's own.

    python -m bench.recompose [RUNS]
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from testing.pictures import SAMPLE, encoded, gradient
from testing.system import System, started

SIZES = "300x250,320x480,336x280"
MOVED = {"moves": [{"size": "300x250", "right": 0.1, "scale": 0.9}]}
WORDED = {"headline": "Another headline"}


def measure(runs: int) -> dict[str, Any]:
    """Return the median seconds of generations and changes, and their ratios."""
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), {}) as system:
        upload = system.upload(SAMPLE.read_bytes(), "sample.jpg").json()
        room = encoded(gradient(1600, 1200))
        makers: dict[str, Callable[[], httpx.Response]] = {
            "set": lambda: system.generate(upload, sizes=SIZES, layout="auto"),
            "picture": lambda: system.generate_on(room, upload, sizes=SIZES, layout="auto"),
        }
        return {name: _measured(system, make, runs) for name, make in makers.items()}


def _measured(system: System, make: Callable[[], httpx.Response], runs: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {"generate": [], "one moved": [], "words on all": []}
    make()  # the first compiles
    for _ in range(runs):
        taken, made = _timed(make)
        seconds["generate"].append(taken)
        for name, change in (("one moved", MOVED), ("words on all", WORDED)):
            asked = {"sequence": made["sequence"], **change}
            taken, _ = _timed(lambda asked=asked: system.client.post("/api/compose", json=asked))  # type: ignore[misc]
            seconds[name].append(taken)
    medians = {name: round(statistics.median(taken), 3) for name, taken in seconds.items()}
    ratios = {f"{name} / generate": round(medians[name] / medians["generate"], 2) for name in list(medians)[1:]}
    return medians | ratios


def _timed(ask: Callable[[], httpx.Response]) -> tuple[float, dict[str, Any]]:
    start = time.perf_counter()
    body: dict[str, Any] = ask().raise_for_status().json()
    return time.perf_counter() - start, body


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    figures = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
    for ground, values in figures.items():
        print(f"\non a {ground}")
        for name, value in values.items():
            print(f"  {name:24} {value:>7}")
    print()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
