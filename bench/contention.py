"""The history's write path by the number of replicas that append to one log in one bucket.

Each replica is a log of its own over an S3 store (moto, or S3_ENDPOINT_URL), each of whose calls takes 30 ms more, as
over a network; 8 callers of each append as fast as they can. A write that loses against another replica's is made
again. `ratio` is the records a second of the most replicas over those of one.

    python -m bench.contention [SECONDS] [REPLICAS...]
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.history import opened, record
from bench.overload import p99
from services.history.records.log import WRITES, RecordLog
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from testing.stores import DelayedStore

CALLERS = 8
DELAY_SECONDS = 0.03
OUTCOMES = ("written", "conflict", "unanswered")


def _writes() -> dict[str, float]:
    return {outcome: WRITES.labels(outcome)._value.get() for outcome in OUTCOMES}


def measure(store: ObjectStore, replicas: int, seconds: float) -> dict[str, Any]:
    """Return the figures of so many replicas."""
    logs = [RecordLog(store, HistorySettings().append_attempts) for _ in range(replicas)]
    taken: list[float] = []
    failed: list[str] = []
    together = threading.Barrier(replicas * CALLERS)
    before = _writes()

    def call(number: int) -> None:
        log = logs[number % replicas]
        together.wait()
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            try:
                log.append(record(), log.segments_at_least())
            except Exception as error:  # noqa: BLE001  # counted
                failed.append(type(error).__name__)
            else:
                taken.append(time.perf_counter() - start)

    with ThreadPoolExecutor(replicas * CALLERS) as pool:
        list(pool.map(call, range(replicas * CALLERS)))
    writes = {outcome: count - before[outcome] for outcome, count in _writes().items()}
    return {
        "replicas": replicas,
        "per_second": round(len(taken) / seconds, 1),
        "median_ms": round(sorted(taken)[len(taken) // 2] * 1000),
        "p99_ms": round(p99(taken) * 1000),
        "lost": round(1 - writes["written"] / sum(writes.values()), 3),
        "failed": len(failed),
    }


def main(seconds: float, numbers: list[int]) -> None:
    """Print a table and, as the last line, the figures as JSON."""
    rows = []
    print(f"{'replicas':>8}{'records/s':>11}{'median ms':>11}{'p99 ms':>8}{'lost':>7}{'failed':>8}")
    with opened("s3") as store:
        for replicas in numbers:
            row = measure(DelayedStore(store, DELAY_SECONDS), replicas, seconds)
            rows.append(row)
            print("{replicas:8}{per_second:11}{median_ms:11}{p99_ms:8}{lost:7.0%}{failed:8}".format(**row), flush=True)
    print(json.dumps({"ratio": round(rows[-1]["per_second"] / rows[0]["per_second"], 2), "rows": rows}))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10, [int(one) for one in sys.argv[2:]] or [1, 2, 4, 8])
