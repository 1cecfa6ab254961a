"""A fault at every call of the store that a change makes: nothing is damaged or lost, and repeating it completes it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from common.errors import NotFoundError, ServiceError
from services.history.brands import Brand
from services.history.generations import Generation, Picture, pictures_of
from services.history.history import History
from services.history.inspection import damaged_files
from services.history.paths import static_key
from services.history.records.log import RecordLog
from services.history.records.queries import RecordQuery
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.uploads import Cutout
from testing.stores import DelayedStore, Fault, FaultyStore

JPEG = b"\xff\xd8\xff and so on"
NAME = "20260101000000"


class Change(NamedTuple):
    """A change of the history.

    Attributes:
        prepare: Stores what it needs; returns the name of an upload.
        make: Makes it.
        is_made: Whether it is there as a whole.
        deletes: Whether pictures go before their record does, so that another try finds them.
    """

    prepare: Callable[[History], str]
    make: Callable[[History, str], object]
    is_made: Callable[[History, str], bool]
    deletes: bool = False


def nothing(_: History) -> str:
    return ""


def upload(history: History) -> str:
    return history.uploads.create("r1", "flask.png", b"photo", "PNG").timestamp


def cut(history: History) -> str:
    name = upload(history)
    cut_out(history, name)
    return name


def cut_out(history: History, name: str, data: bytes = b"cutout") -> None:
    history.uploads.put_cutout(name, Cutout(data, "sam", {"name": "cut_out"}))


def cut_twice(history: History) -> str:
    name = cut(history)
    cut_out(history, name, b"second")
    return name


def saved(history: History) -> str:
    name = cut(history)
    save(history, name)
    return name


def save(history: History, name: str) -> None:
    fields = {"product_name": "Flask", "request_id": "g1", "write_date": NAME}
    pictures = [Picture(f"{size}", JPEG, "JPEG") for size in ("300x250", "320x480")]
    history.generations.save(Generation("g1", name, fields, pictures))


def revert(history: History, name: str) -> None:
    current = history.uploads.get(name)
    if history.uploads.read_cutout(current) == b"second":
        history.uploads.revert_cutout(name, current.cutout_path, to_later=False)


def is_gone(history: History, name: str) -> bool:
    history.uploads.sweep()
    with suppress(NotFoundError):
        history.uploads.get(name)
        return False
    return not [found.key for found in history.store.list("") if name in found.key]


def delete_upload(history: History, name: str) -> None:
    with suppress(NotFoundError):  # the answer of an earlier try was lost
        history.deletion.delete_upload(name)


def claim(history: History, _: str) -> None:
    history.idempotency.begin("r9", "fingerprint")
    history.idempotency.abandon("r9")


def records(history: History) -> list[dict[str, object]]:
    return [dict(one) for one in history.queries.list_records(RecordQuery()).records]


CHANGES = {
    "create an upload": Change(nothing, lambda history, _: upload(history), lambda history, _: is_uploaded(history)),
    "store a cutout": Change(upload, cut_out, lambda history, name: cutout(history, name) == b"cutout"),
    "replace a cutout": Change(
        cut, lambda history, name: cut_out(history, name, b"second"), lambda h, name: cutout(h, name) == b"second"
    ),
    "revert a cutout": Change(cut_twice, revert, lambda history, name: cutout(history, name) == b"cutout"),
    "discard an upload": Change(cut, lambda history, name: history.uploads.discard(name), is_gone),
    "save a generation": Change(cut, save, lambda history, _: len(records(history)) == 1),
    "delete a record": Change(
        saved,
        lambda history, _: history.deletion.delete_record(0),
        lambda history, _: records(history) == [],
        deletes=True,
    ),
    "delete an upload": Change(saved, delete_upload, is_gone, deletes=True),
    "claim a request": Change(
        nothing, claim, lambda history, _: history.idempotency.begin("r9", "fingerprint") is None
    ),
    "store a brand": Change(
        nothing,
        lambda history, _: history.brands.put(Brand("Orla")),
        lambda history, _: history.brands.names() == ["Orla"],
    ),
}


def is_uploaded(history: History) -> bool:
    found = history.uploads.get(upload(history))  # the request's, not another one
    stored = [key for listed in history.store.list("static/") if (key := listed.key)]
    return stored == [static_key(found.photo_path)] and history.store.get(stored[0]).data == b"photo"


def cutout(history: History, name: str) -> bytes:
    return history.uploads.read_cutout(history.uploads.get(name))


def opened(store: ObjectStore) -> History:
    return History(store, HistorySettings(lease_seconds=0.001, stale_after_seconds=0.001))


@pytest.mark.parametrize("delay", [0, pytest.param(0.03, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.LOSES_ANSWER, Fault.CONFLICTS])
@pytest.mark.parametrize("name", list(CHANGES))
def test_a_fault_at_any_call_damages_nothing(tmp_path: Path, name: str, fault: Fault, delay: float) -> None:
    change, at, reached = CHANGES[name], 0, True
    while reached:
        real = DiskStore.connect(tmp_path / str(at))
        history = opened(real)
        about = change.prepare(history)
        faulty = FaultyStore(DelayedStore(real, delay), fault, at)
        with suppress(ServiceError):
            change.make(opened(faulty), about)
        reached = faulty.calls > at
        assert list(damaged_files(real, RecordLog(real, 3))) == [], f"call {at}"
        for record in [] if change.deletes else records(history):
            for path in pictures_of(record):
                assert real.get(static_key(path)).data == JPEG, f"call {at}: a picture of a record is missing"
        change.make(history, about)
        assert change.is_made(history, about), f"call {at}: {name} is not complete when it is repeated"
        at += 1
    assert at > 1
