import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.history import keys
from services.history.ledger import Ledger
from services.history.objects.store import ConflictError, ObjectStore
from services.runtime.errors import ContentionError, InvalidInputError


def record(name: str) -> dict[str, object]:
    return {"request_id": name, "product_name": f"product {name}"}


def test_records_are_listed_in_order(store: ObjectStore) -> None:
    ledger = Ledger(store, attempts=5)
    assert ledger.page(0, "").records == []
    for name in "abc":
        ledger.append(record(name))
    assert [entry["request_id"] for entry in ledger.page(0, "").records] == ["a", "b", "c"]


def test_a_request_is_recorded_once(store: ObjectStore) -> None:
    ledger = Ledger(store, attempts=5)
    first = ledger.append(record("a"))
    again = ledger.append({**record("a"), "product_name": "another"})
    assert again == first
    assert len(ledger.page(0, "").records) == 1
    assert ledger.find("a") == first
    assert ledger.find("b") is None


def test_writers_of_several_replicas_lose_nothing(store: ObjectStore) -> None:
    replicas = [Ledger(store, attempts=60) for _ in range(4)]
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for turn in range(3):
            replicas[number % 4].append(record(f"{number}-{turn}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    found = [entry["request_id"] for entry in replicas[0].page(0, "").records]
    assert sorted(found) == sorted(f"{number}-{turn}" for number in range(8) for turn in range(3))


def test_pages_join_to_the_whole(store: ObjectStore) -> None:
    ledger = Ledger(store, attempts=5)
    for number in range(7):
        ledger.append(record(str(number)))
    found, token, pages = [], "", 0
    while True:
        page = ledger.page(3, token)
        found += [entry["request_id"] for entry in page.records]
        pages += 1
        token = page.next_token
        if not token:
            break
    assert found == [str(number) for number in range(7)]
    assert pages == 3


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "²", "9" * 20])
def test_a_foreign_page_token_is_refused(store: ObjectStore, token: str) -> None:
    with pytest.raises(InvalidInputError):
        Ledger(store, attempts=1).page(3, token)


def test_a_page_that_is_too_long_is_refused(store: ObjectStore) -> None:
    with pytest.raises(InvalidInputError):
        Ledger(store, attempts=1).page(1001, "")


def test_a_file_of_the_original_backend_is_read_and_kept(store: ObjectStore) -> None:
    old = [
        {"write_date": "20240101120000", "product_name": "舊商品", "generated_images": ["a.jpg"], "extra": {"kept": 1}}
    ]
    store.put(keys.RECORDS, json.dumps(old, ensure_ascii=False).encode("utf-8-sig"), "application/json")
    Ledger(store, attempts=5).append(record("new"))
    found = json.loads(store.get(keys.RECORDS).data)
    assert found == [*old, record("new")]


def test_a_damaged_file_is_never_overwritten(store: ObjectStore) -> None:
    for damaged in (b"[{", b'{"not": "a list"}'):
        store.put(keys.RECORDS, damaged, "application/json")
        with pytest.raises((ValueError, TypeError)):
            Ledger(store, attempts=5).append(record("new"))
        assert store.get(keys.RECORDS).data == damaged


def test_endless_contention_gives_up_in_words(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def always_taken(*_: object) -> None:
        raise ConflictError

    monkeypatch.setattr(store, "create", always_taken)
    with pytest.raises(ContentionError, match="try again"):
        Ledger(store, attempts=3).append(record("a"))


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_write_whose_answer_got_lost_is_recognised(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    create = store.create

    def written_but_refused(key: str, data: bytes, content_type: str) -> None:
        create(key, data, content_type)
        raise ConflictError(key)

    monkeypatch.setattr(store, "create", written_but_refused)
    ledger = Ledger(store, attempts=attempts)
    assert ledger.append(record("a")) == record("a")
    assert len(ledger.page(0, "").records) == 1
