"""Time to append to the history and to read it at 100, 10,000 and 100,000 records, on disk and on S3.

S3 is a local moto server, or S3_ENDPOINT_URL (with S3_BUCKET_NAME and the AWS variables). Ratios compare the largest
number of records with the smallest, in the same run.

    python -m bench.history [--most N] [--writers N] [--stores disk s3]
"""

import argparse
import json
import logging
import os
import resource
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.aws import aws_session
from services.history.records.log import SEGMENT, RecordLog
from services.history.records.queries import RecordQueries, RecordQuery
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store
from testing.s3_server import S3Server

COUNTS = (100, 10_000, 100_000)
TEXT = "山海在呼喚，出發吧！" * 25
RUNS = 30


def record() -> dict[str, object]:
    """Return a record of typical size, about 4 kB."""
    name = uuid.uuid4().hex
    stage = {"name": "background", "engine": "set", "prompt": TEXT[:80], "seconds": 0.5, "inputs": [name * 2] * 4}
    return {
        "request_id": name,
        "write_date": "20261123120000",
        "product_name": "瓶",
        "product_describe": TEXT[:100],
        "product_image_filename": f"20261123120000-{name[:16]}/upload/flask.jpg",
        "generated_images": [f"20261123120000-{name[:16]}/generated/{name[:16]}_{size}.jpg" for size in range(3)],
        "short_ad": TEXT[:80],
        "long_ad": TEXT,
        "manifest": {"software_version": "0.2.0", "stages": [stage] * 6},
    }


@contextmanager
def opened(kind: str) -> Iterator[ObjectStore]:
    """Open an empty store."""
    if kind == "disk":
        with tempfile.TemporaryDirectory() as folder:
            yield DiskStore.connect(Path(folder))
        return
    if os.environ.get("S3_ENDPOINT_URL"):
        yield S3Store.connect(HistorySettings(store="s3"))
        return
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it logs every request
    server = S3Server(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = HistorySettings(
        store="s3",
        s3_bucket_name="bench",
        s3_endpoint_url=f"http://{host}:{port}",
        s3_region="us-east-1",
        workers=64,
        aws_access_key_id="key",
        aws_secret_access_key="secret",  # noqa: S106  # moto does not check it
    )
    aws_session(settings).client("s3", endpoint_url=settings.s3_endpoint_url, region_name="us-east-1").create_bucket(
        Bucket=settings.s3_bucket_name
    )
    yield S3Store.connect(settings)
    server.stop()


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median time of some runs, in seconds."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def fill(ledger: RecordLog, count: int, present: int) -> None:
    """Append records up to count, many per write."""
    with ThreadPoolExecutor(SEGMENT) as pool:
        for start in range(present, count, SEGMENT):
            batch = range(start, min(start + SEGMENT, count))
            list(pool.map(lambda _: ledger.append(record(), ledger.segments_at_least()), batch))


def together(ledger: RecordLog, writers: int) -> float:
    """Return the time per record with this many concurrent writers, in seconds."""
    with ThreadPoolExecutor(writers) as pool:
        start = time.perf_counter()
        list(pool.map(lambda _: ledger.append(record(), ledger.segments_at_least()), range(writers * 4)))
    return (time.perf_counter() - start) / (writers * 4)


def read_all(ledger: RecordLog) -> int:
    """Read the whole list as the gateway streams it; return its size in bytes."""
    return sum(len(chunk) for chunk in RecordQueries(ledger).snapshot().chunks)


def measure(store: ObjectStore, counts: list[int], writers: int) -> list[dict[str, float]]:
    """Return the figures at each count."""
    ledger, present, rows = RecordLog(store, attempts=12), 0, []
    for count in counts:
        fill(ledger, count, present)
        present = count + RUNS + writers * 4
        row = {
            "records": count,
            "append": seconds(lambda: ledger.append(record(), ledger.segments_at_least()), RUNS),
            "append_together": together(ledger, writers),
            "first_page": seconds(lambda: RecordQueries(ledger).list_records(RecordQuery()), 9),
            "whole_list": seconds(lambda: read_all(ledger), 1),
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        rows.append(row)
        print(
            f"{store.name:6}{count:9,}{row['append'] * 1e3:11.1f}{row['append_together'] * 1e3:11.2f}"
            f"{row['first_page'] * 1e3:11.1f}{row['whole_list']:11.2f}{row['memory_mb']:10.0f}"
        )
    return rows


def main() -> None:
    """Print a table and, as the last line, the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.history")
    parser.add_argument("--most", type=int, default=COUNTS[-1])
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--stores", nargs="+", choices=["disk", "s3"], default=["disk", "s3"])
    arguments = parser.parse_args()
    counts = [count for count in COUNTS if count <= arguments.most]
    print(f"store   records  append/ms  {arguments.writers:>2} at once   page/ms     list/s    memory")
    figures: dict[str, dict[str, Any]] = {}
    for kind in arguments.stores:
        with opened(kind) as store:
            rows = measure(store, counts, arguments.writers)
        first, last = rows[0], rows[-1]
        figures[kind] = {
            "append_ratio": round(last["append"] / first["append"], 2),
            "together_ratio": round(last["append_together"] / first["append_together"], 2),
            "page_ratio": round(last["first_page"] / first["first_page"], 2),
            "rows": [{name: round(value, 4) for name, value in row.items()} for row in rows],
        }
    worst = {name: max(one[name] for one in figures.values()) for name in ("append_ratio", "page_ratio")}
    print(json.dumps({**worst, **figures}))


if __name__ == "__main__":
    main()
