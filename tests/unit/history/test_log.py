import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from common.errors import ContentionError, DamagedStoreError, InvalidInputError, UnavailableError
from services.history import paths
from services.history.records import log
from services.history.records.log import RecordLog
from services.history.records.queries import Page, RecordQueries, RecordQuery
from services.history.storage.base import ConflictError, ObjectStore
from testing.stores import InterceptedStore

T = TypeVar("T")


def listed(ledger: RecordLog, size: int = 0, token: str = "") -> Page:
    return RecordQueries(ledger).list_records(RecordQuery(page_size=size, page_token=token))


def record(name: str) -> dict[str, object]:
    return {
        "request_id": name,
        "write_date": "20261125093000",
        "product_name": f"product {name}",
        "generated_images": [],
    }


def test_records_are_listed_in_order(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    assert listed(ledger).records == []
    for name in "abc":
        ledger.append(record(name))
    assert [entry["request_id"] for entry in listed(ledger).records] == ["a", "b", "c"]


def test_a_request_is_recorded_once(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    first = ledger.append(record("a"))
    again = ledger.append({**record("a"), "product_name": "another"})
    assert again == first
    assert len(listed(ledger).records) == 1
    assert ledger.find("a") == first
    assert ledger.find("b") is None


def test_writers_of_several_replicas_lose_nothing(store: ObjectStore) -> None:
    replicas = [RecordLog(store, attempts=60) for _ in range(4)]
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for turn in range(3):
            replicas[number % 4].append(record(f"{number}-{turn}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    found = [entry["request_id"] for entry in listed(replicas[0]).records]
    assert sorted(found) == sorted(f"{number}-{turn}" for number in range(8) for turn in range(3))


def test_pages_join_to_the_whole(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    for number in range(7):
        ledger.append(record(str(number)))
    found, token, pages = [], "", 0
    while True:
        page = listed(ledger, 3, token)
        found += [entry["request_id"] for entry in page.records]
        pages += 1
        token = page.next_token
        if not token:
            break
    assert found == [str(number) for number in range(7)]
    assert pages == 3


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "²", "9" * 20])
def test_a_foreign_page_token_is_rejected(store: ObjectStore, token: str) -> None:
    with pytest.raises(InvalidInputError):
        listed(RecordLog(store, attempts=1), 3, token)


def test_a_page_that_is_too_long_is_rejected(store: ObjectStore) -> None:
    with pytest.raises(InvalidInputError):
        listed(RecordLog(store, attempts=1), 1001, "")


def test_a_file_of_the_original_backend_is_read_and_kept(store: ObjectStore) -> None:
    old = [
        {"write_date": "20240101120000", "product_name": "舊商品", "generated_images": ["a.jpg"], "extra": {"kept": 1}}
    ]
    store.put(paths.RECORDS, json.dumps(old, ensure_ascii=False).encode("utf-8-sig"), "application/json")
    RecordLog(store, attempts=5).append(record("new"))
    found = json.loads(store.get(paths.RECORDS).data)
    assert found == [{"sequence": 0, **old[0]}, {"sequence": 1, **record("new")}]


def test_a_damaged_file_is_never_overwritten(store: ObjectStore) -> None:
    for damaged in (b"[{", b'{"not": "a list"}'):
        store.put(paths.RECORDS, damaged, "application/json")
        with pytest.raises(DamagedStoreError):
            RecordLog(store, attempts=5).append(record("new"))
        assert store.get(paths.RECORDS).data == damaged


def test_endless_contention_gives_up_in_words(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def always_taken(*_: object) -> None:
        raise ConflictError

    monkeypatch.setattr(store, "create", always_taken)
    with pytest.raises(ContentionError, match="Try again"):
        RecordLog(store, attempts=3).append(record("a"))


@pytest.mark.parametrize(("error", "longest"), [(ConflictError("taken"), 0.02), (UnavailableError("away"), 1.0)])
def test_who_loses_to_another_tries_again_at_once(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, error: Exception, longest: float
) -> None:
    """Else the writer that has won would win again and again; a store that does not answer is left alone for a while."""
    pauses: list[float] = []
    create = store.create

    def taken_often(key: str, data: bytes, content_type: str) -> None:
        if len(pauses) < 30:
            raise error
        create(key, data, content_type)

    monkeypatch.setattr(store, "create", taken_often)
    ledger = RecordLog(store, attempts=50)
    monkeypatch.setattr(ledger._retrying, "sleep", pauses.append)
    assert ledger.append(record("a"))["sequence"] == 0
    assert longest / 4 < max(pauses) <= longest


def test_who_loses_again_and_again_reads_no_segment_twice(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each attempt would take longer than the one before, and be lost to whoever is quicker."""
    monkeypatch.setattr(log, "SEGMENT", 3)
    other = RecordLog(store, attempts=5)
    other.append(record("first"))
    overtaken = _OvertakenStore(store, other, times=8)
    assert RecordLog(overtaken, attempts=50).append(record("mine"))["request_id"] == "mine"
    segments = Counter(key for key in overtaken.read if key.startswith(paths.SEGMENTS))
    assert len(segments) > 5
    assert set(segments.values()) == {1}


class _OvertakenStore(InterceptedStore):
    """A store in which another log appends four records just before each of so many changes of the head."""

    def __init__(self, store: ObjectStore, other: RecordLog, times: int) -> None:
        super().__init__(store)
        self.read: list[str] = []
        self._other = other
        self._times = times

    def around(self, method: str, key: str, call: Callable[[], T]) -> T:
        if method == "get":
            self.read.append(key)
        if method == "replace" and self._times:
            self._times -= 1
            for number in range(4):
                self._other.append(record(f"other-{self._times}-{number}"))
        return call()


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_write_whose_answer_got_lost_is_recognised(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    create = store.create

    def written_but_rejected(key: str, data: bytes, content_type: str) -> None:
        create(key, data, content_type)
        raise ConflictError(key)

    monkeypatch.setattr(store, "create", written_but_rejected)
    ledger = RecordLog(store, attempts=attempts)
    assert ledger.append(record("a")) == {"sequence": 0, **record("a")}
    assert len(listed(ledger).records) == 1


def test_a_write_that_the_store_did_not_answer_is_looked_up(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response is lost once after the write and once before it; each record must exist exactly once."""
    ledger = RecordLog(store, attempts=5)
    ledger.append(record("first"))
    replace, told = store.replace, [True, False]

    def unanswered(key: str, data: bytes, content_type: str, etag: str) -> None:
        if told:
            if told.pop():
                replace(key, data, content_type, etag)
            raise UnavailableError("no answer")
        replace(key, data, content_type, etag)

    monkeypatch.setattr(store, "replace", unanswered)
    assert ledger.append(record("a"))["sequence"] == 1
    assert ledger.append(record("b"))["sequence"] == 2
    assert names(ledger) == ["first", "a", "b"]


def test_a_store_that_never_answers_is_said_to_be_unavailable(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unanswered(*_: object) -> None:
        raise UnavailableError("no answer")

    monkeypatch.setattr(store, "create", unanswered)
    with pytest.raises(UnavailableError):
        RecordLog(store, attempts=3).append(record("a"))


def names(ledger: RecordLog) -> list[str]:
    return [entry["request_id"] for entry in whole(ledger)]


def whole(ledger: RecordLog) -> list[dict[str, Any]]:
    """Return all records, read page by page and as a stream; both must agree."""
    entries: list[dict[str, Any]] = []
    token = ""
    while True:
        page = listed(ledger, 7, token)
        entries += page.records
        token = page.next_token
        if not token:
            break
    streamed = json.loads(b"".join(RecordQueries(ledger).snapshot().chunks))
    assert streamed == entries
    return entries


@pytest.mark.usefixtures("small_segments")
def test_older_records_go_into_segments_and_stay_in_the_list(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    assert whole(ledger) == []
    for number in range(30):
        ledger.append(record(str(number)))
        assert names(ledger) == [str(one) for one in range(number + 1)]
    assert [entry["sequence"] for entry in whole(ledger)] == list(range(30))
    head = json.loads(store.get(paths.RECORDS).data)
    assert 4 <= len(head) <= 8
    assert head[-1]["request_id"] == "29"
    segments = [listed.key for listed in store.list(paths.SEGMENTS)]
    assert segments == [f"ledger/{number:08}.json" for number in range(6)]
    assert [entry["request_id"] for entry in json.loads(store.get(segments[2]).data)] == ["8", "9", "10", "11"]


@pytest.mark.usefixtures("small_segments")
def test_pages_begin_and_end_anywhere(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    for number in range(23):
        ledger.append(record(str(number)))
    for start in range(25):
        for size in (1, 2, 5, 11, 40):
            page = listed(ledger, size, str(start))
            assert [entry["request_id"] for entry in page.records] == [str(n) for n in range(23)][start : start + size]
            assert page.next_token == (str(start + size) if start + size < 23 else "")


@pytest.mark.usefixtures("small_segments")
def test_a_request_is_recorded_once_even_when_its_record_is_in_a_segment(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    since = ledger.segments_at_least()
    first = ledger.append(record("a"), since)
    for number in range(20):
        ledger.append(record(str(number)))
    assert ledger.find("a", since) == first
    assert RecordLog(store, attempts=5).append(record("a"), since) == first
    assert names(ledger).count("a") == 1


@pytest.mark.usefixtures("small_segments")
def test_an_upload_is_known_by_its_records_wherever_they_are(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    ledger.append({**record("a"), "product_image_filename": "20260101000000/upload/a.jpg"})
    for number in range(20):
        text = 'a text "product_image_filename": "20260102000000/upload/'
        ledger.append({**record(str(number)), "product_name": text})
    assert ledger.has_upload("20260101000000")
    assert not ledger.has_upload("20260102000000"), "a text that looks like it"
    assert not ledger.has_upload("2026010100000")


@pytest.mark.usefixtures("small_segments")
def test_a_crash_after_a_segment_was_written_loses_and_doubles_nothing(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = RecordLog(store, attempts=5)
    for number in range(8):
        ledger.append(record(str(number)))
    with monkeypatch.context() as patch:

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(store, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            ledger.append(record("8"))
    assert [listed.key for listed in store.list(paths.SEGMENTS)] == ["ledger/00000000.json"]
    assert names(RecordLog(store, attempts=5)) == [str(number) for number in range(8)]
    RecordLog(store, attempts=5).append(record("8"))
    assert names(ledger) == [str(number) for number in range(9)]


@pytest.mark.usefixtures("small_segments")
def test_replicas_that_fill_segments_together_lose_and_double_nothing(store: ObjectStore) -> None:
    replicas = [RecordLog(store, attempts=200) for _ in range(3)]

    def write(number: int) -> None:
        for turn in range(4):
            replicas[number % 3].append(record(f"{number}-{turn}"))

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(write, range(9)))
    assert sorted(names(replicas[0])) == sorted(f"{number}-{turn}" for number in range(9) for turn in range(4))
    assert [entry["sequence"] for entry in whole(replicas[0])] == list(range(36))


def test_those_that_wait_are_added_with_one_write(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = RecordLog(store, attempts=5)
    ledger.append(record("first"))
    replace, writes = store.replace, []

    def slow(key: str, data: bytes, content_type: str, etag: str) -> None:
        writes.append(key)
        time.sleep(0.3)
        replace(key, data, content_type, etag)

    monkeypatch.setattr(store, "replace", slow)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: ledger.append(record(str(number))), range(20)))
    assert len(writes) <= 3
    assert sorted(names(ledger)) == sorted(["first", *map(str, range(20))])


def test_the_same_request_twice_in_one_write_is_one_record(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: ledger.append(record("a")), range(8)))
    assert added == [{"sequence": 0, **record("a")}] * 8
    assert names(ledger) == ["a"]


def test_the_first_page_reads_the_same_however_long_the_list(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.history.records.log.SEGMENT", 4)
    monkeypatch.setattr("services.history.records.queries.SEGMENT", 4)
    ledger = RecordLog(store, attempts=5)
    get, reads = store.get, []

    def counted(key: str) -> object:
        reads.append(key)
        return get(key)

    read = []
    for number in range(60):
        ledger.append(record(str(number)))
        if number in (14, 59):
            with monkeypatch.context() as patch:
                patch.setattr(store, "get", counted)
                reads.clear()
                listed(ledger, 4)
                read.append(list(reads))
    assert read[0] == read[1] == [paths.RECORDS, "ledger/00000000.json"]


@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_head_that_was_edited_by_hand_is_read(store: ObjectStore, indent: int | None) -> None:
    ledger = RecordLog(store, attempts=5)
    for number in range(14):
        ledger.append(record(str(number)))
    head = json.loads(store.get(paths.RECORDS).data)
    head[1]["product_name"] = 'edited, \n"quoted" 名'
    del head[2]
    store.put(paths.RECORDS, json.dumps(head, indent=indent, ensure_ascii=False).encode(), "application/json")
    ledger.append(record("next"))
    found = whole(ledger)
    assert len(found) == 14
    assert [entry["product_name"] for entry in found].count('edited, \n"quoted" 名') == 1
    for number in range(20):
        ledger.append(record(f"more {number}"))
    assert len(set(names(ledger))) == 34


@pytest.mark.usefixtures("small_segments")
def test_a_head_that_was_taken_away_begins_after_what_is_kept(store: ObjectStore) -> None:
    ledger = RecordLog(store, attempts=5)
    for number in range(14):
        ledger.append(record(str(number)))
    kept = names(ledger)[: 4 * len(list(store.list(paths.SEGMENTS)))]
    store.delete([paths.RECORDS])
    ledger.append(record("next"))
    assert names(ledger) == [*kept, "next"]
