"""A queueing model of the system: how long ads take at a rate of requests, and how many pods keep that time.

A request is work at stations, in series and side by side; a station is replicas of so many workers each, among which
every gateway deals calls out in turn, as gRPC's round robin does. Requests come at random (Poisson). The model is held
against real processes with engines that only sleep (1, 2 and 4 replicas, the same arrivals): `worst_error` is the
largest error of its 95th percentiles. Then it tells what 1, 100 and 10,000 ads a minute need with the real engines,
whose times `--cut-out` and `--composition` give (of `python -m bench.pipeline`, in seconds).

    python -m bench.queueing [--requests N] [--cut-out S] [--composition S]
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import simpy

from bench.cluster import ROOM
from bench.overload import form_of
from cli.demo import SAMPLE
from cli.ports import Ports
from testing.processes import Process, all_running, parts

ADS = 3
"""Ads of a request."""
LOAD = 0.6
"""Utilisation at which the model is tried; HPAs keep pods at 0.7 of their CPU."""
SIMULATED = 4000
FIXED_SECONDS = 0.1
ARRIVALS_SEED = 7
CHOICES = range(11, 16)
"""A plan holds on average over these, since it depends on where the gateways begin their turns."""


@dataclass(frozen=True)
class Job:
    """A call of a station that takes a worker so many seconds."""

    station: str
    seconds: float


@dataclass(frozen=True)
class Series:
    """Work that is done one after the other."""

    steps: tuple["Work", ...]


@dataclass(frozen=True)
class Parallel:
    """Work that is done side by side."""

    branches: tuple["Work", ...]


Work = Job | Series | Parallel


class Station:
    """Replicas of a service.

    Args:
        environment: The simulation.
        replicas: Number of replicas.
        workers: Calls that each works on at a time.
        starts: With which replica each gateway begins to deal its calls out in turn.
    """

    def __init__(self, environment: simpy.Environment, replicas: int, workers: int, starts: Sequence[int]) -> None:
        self._replicas = [simpy.Resource(environment, workers) for _ in range(replicas)]
        self._turns = [itertools.cycle(self._replicas[start:] + self._replicas[:start]) for start in starts]

    def replica(self, gateway: int) -> simpy.Resource:
        """Return the replica that gets the next call of a gateway."""
        return next(self._turns[gateway])


def _done(
    environment: simpy.Environment, stations: Mapping[str, Station], work: Work, gateway: int
) -> Generator[simpy.Event]:
    match work:
        case Job(station, seconds):
            with stations[station].replica(gateway).request() as place:
                yield place
                yield environment.timeout(seconds)
        case Series(steps):
            for step in steps:
                yield environment.process(_done(environment, stations, step, gateway))
        case Parallel(branches):
            yield environment.all_of(
                [environment.process(_done(environment, stations, one, gateway)) for one in branches]
            )


def simulate(
    work: Work,
    arrivals: Sequence[float],
    stations: Mapping[str, tuple[int, int]],
    gateways: int = 1,
    extra: float = 0,
    choice: int = CHOICES[0],
) -> list[float]:
    """Return the time that each request takes, in seconds.

    Args:
        work: What a request is.
        arrivals: When they come, in seconds.
        stations: Replicas and workers of each, by name.
        gateways: Number of gateways.
        extra: What the gateway, the history and the network add to each, in seconds.
        choice: Seed of which gateway gets a request, and of where each begins its turns.
    """
    environment, chance = simpy.Environment(), random.Random(choice)  # noqa: S311
    built = {
        name: Station(environment, replicas, workers, [chance.randrange(replicas) for _ in range(gateways)])
        for name, (replicas, workers) in stations.items()
    }
    taken: list[float] = []

    def request(gateway: int, arrival: float) -> Generator[simpy.Event]:
        yield environment.timeout(arrival)
        yield environment.process(_done(environment, built, work, gateway))
        taken.append(environment.now - arrival + extra)

    for arrival in arrivals:
        environment.process(request(chance.randrange(gateways), arrival))
    environment.run()
    return taken


def poisson(rate: float, number: int) -> list[float]:
    """Return when requests come that come at random."""
    rng = random.Random(ARRIVALS_SEED)  # noqa: S311
    return list(itertools.accumulate(rng.expovariate(rate) for _ in range(number)))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def fixed_generation(seconds: float) -> Work:
    """Return a generation with fixed engines: copy beside two backgrounds, in each of which things are looked for."""
    background = Series((Job("engines", seconds), Job("engines", seconds), Job("engines", seconds)))
    return Series((Parallel((Job("engines", seconds), background, background)), Job("engines", seconds)))


FIXED_JOBS = 8


def measure(replicas: int, requests: int) -> dict[str, Any]:
    """Run real processes with engines that sleep; return the model's percentiles beside theirs."""
    environment = {"FIXED_SECONDS": str(FIXED_SECONDS), "FIXED_WORKERS": "1", "FIXED_QUEUE_SIZE": "64", **ROOM}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        running = stack.enter_context(parts(Path(folder), environment))
        more = [
            Process("testing.fixed_engines", port, {**running.engines.environment, "FIXED_PORT": str(port)})
            for port in (Ports.free().segmentation for _ in range(replicas - 1))
        ]
        stack.enter_context(all_running(more)) if more else None
        target = "ipv4:" + ",".join(f"127.0.0.1:{one.port}" for one in (running.engines, *more))
        targets = {f"GATEWAY_{name}_TARGET": target for name in ("SEGMENTATION", "INPAINTING", "GENERATION")}
        gateway = stack.enter_context(running.another_gateway(**targets))
        arrivals = poisson(LOAD * replicas / (FIXED_JOBS * FIXED_SECONDS), requests * replicas)
        alone, taken = asyncio.run(_load(gateway.url, arrivals))
    work = fixed_generation(FIXED_SECONDS)
    stations = {"engines": (replicas, 1)}
    extra = alone - simulate(work, [0.0], stations)[0]
    model = simulate(work, arrivals, stations, extra=extra)
    figures = {
        f"p{percent}_{name}": round(percentile(values, percent), 3)
        for percent in (50, 95)
        for name, values in (("measured", taken), ("model", model))
    }
    error = figures["p95_model"] / figures["p95_measured"] - 1
    return {"replicas": replicas, "requests": len(taken), **figures, "error": round(error, 3)}


async def _load(url: str, arrivals: Sequence[float]) -> tuple[float, list[float]]:
    """Return how long a generation takes alone, in seconds, and how long each does at these arrivals."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=120) as client:
        photo = {"product_image": (SAMPLE.name, SAMPLE.read_bytes())}
        form = form_of((await client.post("/api/upload-image", files=photo)).json())

        async def generate() -> float:
            start = time.perf_counter()
            (await client.post("/api/generate-product", data=form)).raise_for_status()
            return time.perf_counter() - start

        alone = statistics.median([await generate() for _ in range(7)])
        start = time.perf_counter()
        tasks = []
        for arrival in arrivals:
            await asyncio.sleep(max(0.0, start + arrival - time.perf_counter()))
            tasks.append(asyncio.create_task(generate()))
        return alone, list(await asyncio.gather(*tasks))


def needed(station: str, seconds: float, ads_a_minute: float) -> dict[str, Any]:
    """Return the fewest pods of one worker that keep the 95th percentile below twice the time of one alone."""
    rate = ads_a_minute / ADS / 60
    arrivals = poisson(rate, SIMULATED)
    pods = max(2, int(rate * seconds) + 1)
    gateways = max(2, round(rate * 4 / 6))  # each takes GATEWAY_MAX_GENERATIONS at a time
    while True:
        taken = [
            one
            for choice in CHOICES
            for one in simulate(Job(station, seconds), arrivals, {station: (pods, 1)}, gateways, choice=choice)
        ]
        if percentile(taken, 95) <= 2 * seconds:
            return {
                "pods": pods,
                "utilisation": round(rate * seconds / pods, 2),
                "p50": round(percentile(taken, 50), 2),
                "p95": round(percentile(taken, 95), 2),
            }
        pods = max(pods + 1, round(pods * 1.05))


def main() -> None:
    """Print tables and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60, help="per replica")
    parser.add_argument("--cut-out", type=float, default=1.0)
    parser.add_argument("--composition", type=float, default=3.0)
    arguments = parser.parse_args()
    rows = []
    print(f"{'replicas':>8}{'p50':>8}{'model':>8}{'p95':>8}{'model':>8}{'error':>8}")
    for replicas in (1, 2, 4):
        row = measure(replicas, arguments.requests)
        rows.append(row)
        print(
            "{replicas:8}{p50_measured:8.2f}{p50_model:8.2f}{p95_measured:8.2f}{p95_model:8.2f}{error:8.1%}".format(
                **row
            ),
            flush=True,
        )
    times = {"segmentation": arguments.cut_out, "generation": arguments.composition}
    plans = {ads: {name: needed(name, seconds, ads) for name, seconds in times.items()} for ads in (1, 100, 10_000)}
    print(f"\n{'ads a minute':>12} {'service':14}{'pods':>6}{'busy':>7}{'p50':>8}{'p95':>8}")
    for ads, plan in plans.items():
        for name, figures in plan.items():
            print(f"{ads:12} {name:14}" + "{pods:6}{utilisation:7.0%}{p50:8.2f}{p95:8.2f}".format(**figures))
    worst = max(abs(row["error"]) for row in rows)
    print(json.dumps({"worst_error": worst, "replicas": rows, "plans": plans}))


if __name__ == "__main__":
    main()
