import time
from pathlib import Path

import pytest

from common.errors import DamagedStoreError, UnavailableError
from services.history import leases, paths
from services.history.idempotency import IdempotencyRecords
from services.history.records.log import RecordLog
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.sweeper import Sweeper
from services.history.uploads import Uploads
from testing.stores import CountingStore

DAY = 86_400


def test_one_process_of_many_sweeps_once_per_interval(store: ObjectStore) -> None:
    swept: list[int] = []
    sweepers = [Sweeper(store, [lambda number=number: swept.append(number)], 4) for number in range(5)]  # type: ignore[misc]
    assert [sweeper.sweep() for sweeper in sweepers] == [True, False, False, False, False]
    time.sleep(5.1)  # S3 tells whole seconds
    assert [sweeper.sweep() for sweeper in reversed(sweepers)] == [True, False, False, False, False]
    assert swept == [0, 4]


@pytest.mark.parametrize(
    "error",
    [UnavailableError("no answer"), DamagedStoreError(file="pending/x", problem="is damaged", remedy="remove it")],
)
def test_a_sweep_that_fails_keeps_no_other_from_its_work(tmp_path: Path, error: Exception) -> None:
    swept: list[int] = []

    def fails() -> None:
        raise error

    assert Sweeper(DiskStore.connect(tmp_path), [fails, lambda: swept.append(1)], 60).sweep()
    assert swept == [1]


@pytest.mark.parametrize("pending", [100, 10_000])
def test_an_upload_costs_the_same_however_many_others_are_unfinished(tmp_path: Path, pending: int) -> None:
    costs = []
    for others in (0, pending):
        folder = tmp_path / str(others)
        store = CountingStore(DiskStore.connect(folder))
        (folder / paths.PENDING).mkdir()
        for number in range(others):
            (folder / paths.PENDING / f"20260101000000-{number:016x}").write_text('{"request_id": "r", "at": 0}')
        uploads = Uploads(store, RecordLog(store, attempts=3), 3600)
        assert store.calls == {}, "nothing is read to begin with"
        uploads.create("first", "flask.png", b"photo", "PNG")
        store.calls.clear()
        uploads.create("second", "flask.png", b"photo", "PNG")
        costs.append(dict(store.calls))
    assert costs[0] == costs[1]
    assert sum(costs[0].values()) < 10


def test_a_sweep_reads_only_what_is_old(tmp_path: Path) -> None:
    store = CountingStore(DiskStore.connect(tmp_path))
    uploads = Uploads(store, RecordLog(store, attempts=3), 3600)
    for number in range(20):
        uploads.create(f"r{number}", "flask.png", b"photo", "PNG")
    store.calls.clear()
    assert uploads.sweep() == 0
    assert store.calls == {"list": 2}


@pytest.mark.parametrize("jump", [-DAY, 2 * 3600, 30 * DAY])
def test_a_clock_that_jumps_removes_nothing_and_blocks_nobody(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    log = RecordLog(store, attempts=3)
    uploads = Uploads(store, log, 3600)
    claims = IdempotencyRecords(store, log, uploads, lease_seconds=0.5, renewed_lease_seconds=30)
    upload = uploads.create("r", "flask.png", b"photo", "PNG")
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: time.monotonic() + jump)
        patch.setattr(leases, "time", lambda: time.monotonic() + jump)
        assert claims.begin("claimed", "f") is None
        assert Uploads(store, log, 3600).sweep() == 0
        assert uploads.get(upload.timestamp) == upload
    time.sleep(2.1)
    assert claims.begin("claimed", "f") is None, "its worker died, and its lease is over"


def test_what_this_process_works_on_is_never_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the file system itself has jumped, as after a suspend."""
    store = DiskStore.connect(tmp_path)
    uploads = Uploads(store, RecordLog(store, attempts=3), 3600)
    upload = uploads.create("r", "flask.png", b"photo", "PNG")
    monkeypatch.setattr(DiskStore, "_now", lambda _: time.time() + 2 * 3600)
    assert uploads.sweep() == 0
    assert uploads.get(upload.timestamp) == upload
    assert uploads.discard(upload.timestamp), "on purpose it goes at once"


def test_notes_about_requests_go_when_the_requests_may_not_be_repeated(store: ObjectStore) -> None:
    log = RecordLog(store, attempts=3)
    uploads = Uploads(store, log, 3600)
    claims = IdempotencyRecords(store, log, uploads, 600, 30)
    claims.begin("key", "f")
    uploads.create("r", "flask.png", b"photo", "PNG")
    store.put(paths.save_key("20260101000000", "r"), b"0", paths.JSON)
    claims.sweep(60)
    assert [len(list(store.list(prefix))) for prefix in paths.NOTES] == [1, 1, 1]
    claims.sweep(-2)
    assert [len(list(store.list(prefix))) for prefix in paths.NOTES] == [0, 0, 0]
