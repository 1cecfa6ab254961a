"""Something happens to each call of the store under a group commit, one after the other: every waiter is resolved."""

import contextvars
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from common.errors import ContentionError, UnavailableError
from productimage.context import set_deadline
from services.history.records.codec import Record
from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries, RecordQuery
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from testing.stores import DelayedStore, Fault, FaultyStore

WAITERS = 4
DEADLINE = 0.5
PATIENCE = 10
"""Far more than any deadline here."""


def record(name: str) -> Record:
    shown = {"write_date": "20261125093000", "product_name": name, "generated_images": []}
    return {**shown, "request_id": name}


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.history.records.log.SEGMENT", 2)
    monkeypatch.setattr("services.history.records.queries.SEGMENT", 2)


def full_store(folder: Path) -> ObjectStore:
    """Return a store whose head is full: the next commit writes a segment, too."""
    store = DiskStore.connect(folder)
    log = RecordLog(store, attempts=3)
    for number in range(4):
        log.append(record(f"old {number}"))
    return store


def append_together(log: RecordLog, deadline: float = PATIENCE / 2) -> list["Future[Record]"]:
    """Append from several threads, each with a deadline in seconds; return their results, all of which must come."""
    results: list[Future[Record]] = [Future() for _ in range(WAITERS)]
    start = threading.Barrier(WAITERS)

    def work(number: int) -> None:
        start.wait()
        set_deadline(time.monotonic() + deadline)
        try:
            results[number].set_result(log.append(record(f"new {number}")))
        except BaseException as error:  # noqa: BLE001  # looked at below
            results[number].set_exception(error)

    for number in range(WAITERS):
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work, number), daemon=True).start()
    return results


def resolved(results: list["Future[Record]"]) -> Iterator[BaseException | None]:
    end = time.monotonic() + PATIENCE
    for result in results:
        yield result.exception(timeout=max(0, end - time.monotonic()))


@pytest.mark.parametrize("delay", [0, pytest.param(0.03, marks=pytest.mark.slow)])
@pytest.mark.parametrize("onwards", [False, True])
@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.LOSES_ANSWER, Fault.CONFLICTS])
def test_every_waiter_is_resolved_and_nothing_is_doubled(
    tmp_path: Path, fault: Fault, attempts: int, delay: float, *, onwards: bool
) -> None:
    at, reached = 0, True
    while reached:
        real = full_store(tmp_path / str(at))
        store = FaultyStore(DelayedStore(real, delay), fault, at, onwards=onwards)
        results = append_together(RecordLog(store, attempts=attempts))
        for error in resolved(results):
            assert error is None or isinstance(error, ContentionError | UnavailableError)
        reached = store.calls > at
        assert reached or all(result.exception() is None for result in results)
        check(real, results)
        at += 1
    assert at > 4, "a commit reads the head, writes a segment and replaces the head"


def test_whoever_waits_behind_a_call_that_hangs_is_released_by_the_deadline(tmp_path: Path) -> None:
    at, reached = 0, True
    while reached:
        real = full_store(tmp_path / str(at))
        store = FaultyStore(real, Fault.HANGS, at)
        results = append_together(RecordLog(store, attempts=3), DEADLINE)
        end = time.monotonic() + PATIENCE
        while sum(result.done() for result in results) < WAITERS - 1:  # one of them is the one that hangs
            assert time.monotonic() < end
            time.sleep(0.01)
        store.over.set()
        assert all(error is None or isinstance(error, UnavailableError) for error in resolved(results))
        check(real, results)
        reached = store.calls > at
        at += 1
    assert at > 4


def check(store: ObjectStore, results: list["Future[Record]"]) -> None:
    """Check that what was confirmed is there, and that repeating every request leaves each record once."""
    log = RecordLog(store, attempts=3)
    names = [one["product_name"] for one in RecordQueries(log).list_records(RecordQuery()).records]
    assert all(result.result()["product_name"] in names for result in results if result.exception() is None)
    for number in range(WAITERS):
        log.append(record(f"new {number}"))
    names = [one["product_name"] for one in RecordQueries(log).list_records(RecordQuery()).records]
    assert sorted(names) == sorted([f"old {number}" for number in range(4)] + [f"new {number}" for number in range(4)])
