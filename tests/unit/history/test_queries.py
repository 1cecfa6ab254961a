"""Searching the records, newest first."""

from typing import Any

import pytest

from common.errors import InvalidInputError
from services.history.records import queries
from services.history.records.log import RecordLog
from services.history.records.queries import Page, RecordQueries, RecordQuery
from services.history.storage.base import ObjectStore


def filled(store: ObjectStore, number: int) -> RecordLog:
    ledger = RecordLog(store, attempts=5)
    for name in range(number):
        shown = {"write_date": "20261125093000", "product_name": f"Flask {name}", "generated_images": []}
        ledger.append({**shown, "request_id": f"r{name}", "short_ad": "保溫瓶" * (name % 2)})
    return ledger


def search(ledger: RecordLog, query: str, size: int, token: str) -> Page:
    return RecordQueries(ledger).list_records(RecordQuery(query, descending=True, page_size=size, page_token=token))


def found(ledger: RecordLog, query: str, size: int) -> list[list[int]]:
    """Return the sequence numbers of the records found, page by page."""
    pages, token = [], ""
    while True:
        page = search(ledger, query, size, token)
        pages.append([int(record["sequence"]) for record in page.records])
        token = page.next_token
        if not token:
            return pages


def test_the_newest_come_first(store: ObjectStore) -> None:
    assert found(filled(store, 7), "", 3) == [[6, 5, 4], [3, 2, 1], [0]]


def test_pages_pass_from_the_head_into_older_segments(store: ObjectStore, small_segments: int) -> None:
    count = 5 * small_segments + 3
    pages = found(filled(store, count), "", 3)
    assert [number for page in pages for number in page] == list(reversed(range(count)))
    assert {len(page) for page in pages[:-1]} == {3}


def test_texts_are_searched_in_any_case(store: ObjectStore) -> None:
    ledger = filled(store, 25)
    assert found(ledger, "fLASK 1", 100) == [[*range(19, 9, -1), 1]]
    assert found(ledger, "保溫", 100) == [list(range(23, 0, -2))]
    assert found(ledger, "r3", 100) == [[]], "only what people have written or read"


def test_one_call_looks_through_a_part_only(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MAX_SCAN", 10)
    assert found(filled(store, 25), "flask 3", 100) == [[], [], [3]]


def test_what_was_added_meanwhile_moves_no_page(store: ObjectStore) -> None:
    ledger = filled(store, 4)
    first = search(ledger, "", 2, "")
    ledger.append({"request_id": "late", "product_name": "Late"})
    second = search(ledger, "", 2, first.next_token)
    assert [record["sequence"] for record in second.records] == [1, 0]


def test_a_record_is_found_by_its_number(store: ObjectStore, small_segments: int) -> None:
    listing = RecordQueries(filled(store, 2 * small_segments + 1))
    for number in (0, small_segments, 2 * small_segments):
        [record] = listing.list_records(RecordQuery(sequence=number)).records
        assert record["product_name"] == f"Flask {number}"
    assert listing.list_records(RecordQuery(sequence=2 * small_segments + 1)).records == []
    assert listing.list_records(RecordQuery("other text", sequence=0)).records == []


@pytest.mark.parametrize("descending", [False, True])
def test_both_orders_list_the_same(store: ObjectStore, descending: bool, small_segments: int) -> None:
    count = 5 * small_segments + 3
    listing, numbers, token = RecordQueries(filled(store, count)), list[int](), ""
    while True:
        page = listing.list_records(RecordQuery("flask 1", descending=descending, page_size=7, page_token=token))
        numbers += [record["sequence"] for record in page.records]
        token = page.next_token
        if not token:
            break
    wanted = [number for number in range(count) if str(number).startswith("1")]
    assert numbers == (wanted[::-1] if descending else wanted)


@pytest.mark.parametrize(("query", "size", "token"), [("x" * 201, 1, ""), ("", 1001, ""), ("", 1, "-1"), ("", 1, "x")])
def test_what_is_out_of_range_is_rejected(store: ObjectStore, query: str, size: int, token: str) -> None:
    with pytest.raises(InvalidInputError):
        search(RecordLog(store, attempts=5), query, size, token)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"audience": "outdoor"}, [2, 0]),
        ({"audience": "FEMALE"}, [1]),
        ({"brand": "露露"}, [1]),
        ({"brand": "露"}, []),
        ({"since": "20261125"}, [2, 1]),
        ({"until": "20261125"}, [1, 0]),
        ({"since": "20261125", "until": "20261125"}, [1]),
        ({"since": "20261126", "audience": "outdoor", "text": "flask"}, [2]),
        ({"since": "20261127"}, []),
    ],
)
def test_conditions_are_combined(store: ObjectStore, conditions: dict[str, Any], expected: list[int]) -> None:
    ledger = RecordLog(store, attempts=5)
    for day, audience, brand in (("24", "outdoor", ""), ("25", "female,25-34", "露露"), ("26", "Outdoor", "other")):
        shown = {"write_date": f"202611{day}235959", "product_name": "Flask", "generated_images": [], "request_id": day}
        ledger.append({**shown, "target_audience": audience, "brand": brand})
    page = RecordQueries(ledger).list_records(RecordQuery(descending=True, **conditions))
    assert [record["sequence"] for record in page.records] == expected


@pytest.mark.parametrize("day", ["2026-11-25", "2026112", "x" * 8, "２０２６１１２５"])
def test_other_days_are_refused(store: ObjectStore, day: str) -> None:
    for query in (RecordQuery(since=day), RecordQuery(until=day)):
        with pytest.raises(InvalidInputError, match="YYYYMMDD"):
            RecordQueries(filled(store, 1)).list_records(query)
