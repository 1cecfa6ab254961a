"""Time alternatives in turn, each in its own process, so that noise affects all alike."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Prepare = Callable[[], tuple[Callable[[], object], Any]]
"""Loads what is needed and runs it once; returns the function to time and the result of that run. Pickled to another
process."""


@dataclass(frozen=True)
class Measured:
    """Measurement of one alternative.

    Attributes:
        seconds: Median time of a run.
        peak_mb: Peak resident memory of its process while timed.
        answer: Result of its first, untimed run.
    """

    seconds: float
    peak_mb: int
    answer: Any


def by_turns(ways: Sequence[Prepare], runs: int) -> list[Measured]:
    """Measure each alternative."""
    processes = [_start(way) for way in ways]
    answers = [pipe.recv() for pipe, _ in processes]
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for taken, (pipe, _) in zip(seconds, processes, strict=True):
            pipe.send(True)
            taken.append(pipe.recv())
    peaks = []
    for pipe, process in processes:
        pipe.send(False)
        peaks.append(pipe.recv())
        process.join()
    return [Measured(statistics.median(taken), *rest) for taken, *rest in zip(seconds, peaks, answers, strict=True)]


def _start(way: Prepare) -> tuple[Connection, multiprocessing.process.BaseProcess]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(way, theirs), daemon=True)
    process.start()
    return ours, process


def _serve(way: Prepare, pipe: Connection) -> None:
    run, answer = way()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak, which so far is that of loading
    pipe.send(answer)
    while pipe.recv():
        start = time.perf_counter()
        run()
        pipe.send(time.perf_counter() - start)
    status = Path("/proc/self/status").read_text()
    pipe.send(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) // 1024)
