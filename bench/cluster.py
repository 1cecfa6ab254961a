"""Throughput and latency of one machine by concurrency, with the CPU time and memory of each process.

k6 calls the system over REST (generations) and gRPC (cutouts), with engines that only sleep for 10 ms and with the
default ones. `cpu` is the CPU time of each process per call, in seconds; `mb` is its peak memory. `ratio` is the best
throughput over that of the first entry of --callers, one caller by default.

    python -m bench.cluster [--seconds S] [--callers 1,2,4,8] [--engines fixed,default] [--photo FILE]
"""

import argparse
import json
import os
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.demo import SAMPLE
from testing.processes import parts
from testing.system import started

HERE = Path(__file__).parent
K6 = Path(sysconfig.get_path("scripts"), "k6")
TICKS = os.sysconf("SC_CLK_TCK")
SCENARIOS = ("rest", "grpc")
ROOM = {
    "GATEWAY_MAX_GENERATIONS": "64",
    "GATEWAY_MAX_SHARE": "1",
    "GATEWAY_LOG_LEVEL": "WARNING",
    "GATEWAY_RATE_LIMIT": "100000/minute",
}
"""Settings that reject nothing: this measures capacity, not admission control."""


@dataclass(frozen=True)
class Running:
    """A running system: addresses as k6 takes them, and process ids by name."""

    gateway: str
    segmentation: str
    pids: Mapping[str, int]


@contextmanager
def fixed(store: Path) -> Iterator[Running]:
    """Run with engines that only sleep; one process serves all three model services."""
    with parts(store, {"FIXED_SECONDS": "0.01", "FIXED_WORKERS": "16", "FIXED_QUEUE_SIZE": "64", **ROOM}) as running:
        pids = {"gateway": running.gateway.pid, "history": running.history.pid, "engines": running.engines.pid}
        yield Running(running.gateway.url, f"127.0.0.1:{running.engines.port}", pids)


@contextmanager
def default(store: Path) -> Iterator[Running]:
    """Run as `make run` does."""
    queues = {f"{name}_QUEUE_SIZE": "64" for name in ("SEGMENTATION", "INPAINTING", "GENERATION")}
    with started(store, {**ROOM, **queues}) as system:
        yield Running(str(system.client.base_url).rstrip("/"), f"127.0.0.1:{system.ports.segmentation}", system.pids)


ENGINES = {"fixed": fixed, "default": default}


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mb(pid: int) -> int:
    """Return the peak resident memory of a process, in MB."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def call(running: Running, scenario: str, callers: int, photo: Path, seconds: float, scratch: Path) -> dict[str, Any]:
    """Call with k6; return calls per second, median and 95th percentile in milliseconds, and the failed checks.

    Raises:
        RuntimeError: A threshold of bench/cluster.js was not met.
    """
    summary = scratch / "summary.json"
    variables = {"PHOTO": str(photo), "GATEWAY": running.gateway, "SEGMENTATION": running.segmentation}
    command = [str(K6), "run", "--quiet", "--no-usage-report", "--vus", str(callers), "--duration", f"{seconds}s"]
    done = subprocess.run(  # noqa: S603
        [*command, "--summary-export", str(summary), str(HERE / "cluster.js")],
        env={**os.environ, **variables, "SCENARIO": scenario, "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    metrics = json.loads(summary.read_text())["metrics"]
    times = metrics["iteration_duration"]
    return {
        "callers": callers,
        "per_second": round(metrics["iterations"]["rate"], 2),
        "median_ms": round(times["med"]),
        "p95_ms": round(times["p(95)"]),
        "failed": metrics["checks"]["fails"],
        "calls": metrics["iterations"]["count"],
    }


def measure(engines: str, callers: list[int], photo: Path, seconds: float) -> dict[str, Any]:
    """Return the figures of one kind of engine."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, ENGINES[engines](Path(folder, "store")) as running:
        for scenario in SCENARIOS:
            before = {name: cpu_seconds(pid) for name, pid in running.pids.items()}
            rows = [call(running, scenario, count, photo, seconds, Path(folder)) for count in callers]
            calls = sum(row["calls"] for row in rows)
            figures[scenario] = rows
            figures[f"{scenario}_cpu"] = {
                name: round((cpu_seconds(pid) - before[name]) / calls, 3) for name, pid in running.pids.items()
            }
            figures[f"{scenario}_ratio"] = round(max(row["per_second"] for row in rows) / rows[0]["per_second"], 2)
        figures["mb"] = {name: peak_mb(pid) for name, pid in running.pids.items()}
    return figures


def show(engines: str, figures: dict[str, Any]) -> None:
    """Print the tables of one kind of engine."""
    for scenario in SCENARIOS:
        print(f"\n{engines} engines, {scenario}")
        print("{:>8}{:>10}{:>11}{:>8}{:>8}".format("callers", "a second", "median ms", "p95 ms", "failed"))
        for row in figures[scenario]:
            columns = (row["callers"], row["per_second"], row["median_ms"], row["p95_ms"], row["failed"])
            print("{:>8}{:>10}{:>11}{:>8}{:>8}".format(*columns))
        print("processor's seconds for one:", figures[f"{scenario}_cpu"])
    print("most memory, MB:", figures["mb"])


def main() -> None:
    """Print tables and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--callers", default="1,2,4,8")
    parser.add_argument("--engines", default="fixed,default")
    parser.add_argument("--photo", type=Path, default=SAMPLE)
    arguments = parser.parse_args()
    callers = [int(one) for one in arguments.callers.split(",")]
    figures = {}
    for engines in arguments.engines.split(","):
        figures[engines] = measure(engines, callers, arguments.photo.resolve(), arguments.seconds)
        show(engines, figures[engines])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
