"""Looking through the list of records, newest first."""

import pytest

from services.history import ledger as ledger_module
from services.history.ledger import SEGMENT, Ledger
from services.history.objects.store import ObjectStore
from services.runtime.errors import InvalidInputError, NotFoundError


def filled(store: ObjectStore, number: int) -> Ledger:
    ledger = Ledger(store, attempts=5)
    for name in range(number):
        ledger.append({"request_id": f"r{name}", "product_name": f"Flask {name}", "short_ad": "保溫瓶" * (name % 2)})
    return ledger


def found(ledger: Ledger, query: str, size: int) -> list[list[int]]:
    """The numbers of the records found, page by page."""
    pages, token = [], ""
    while True:
        page = ledger.search(query, size, token)
        pages.append([int(record["sequence"]) for record in page.records])
        token = page.next_token
        if not token:
            return pages


def test_the_newest_come_first(store: ObjectStore) -> None:
    assert found(filled(store, 7), "", 3) == [[6, 5, 4], [3, 2, 1], [0]]


def test_pages_pass_from_the_head_into_older_segments(store: ObjectStore) -> None:
    ledger = filled(store, 2 * SEGMENT + 5)
    pages = found(ledger, "", 60)
    assert [number for page in pages for number in page] == list(reversed(range(2 * SEGMENT + 5)))
    assert {len(page) for page in pages[:-1]} == {60}


def test_texts_are_searched_in_any_case(store: ObjectStore) -> None:
    ledger = filled(store, 25)
    assert found(ledger, "fLASK 1", 100) == [[*range(19, 9, -1), 1]]
    assert found(ledger, "保溫", 100) == [list(range(23, 0, -2))]
    assert found(ledger, "r3", 100) == [[]], "only what people have written or read"


def test_one_call_looks_through_a_part_only(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "LONGEST_SEARCH", 10)
    assert found(filled(store, 25), "flask 3", 100) == [[], [], [3]]


def test_what_was_added_meanwhile_moves_no_page(store: ObjectStore) -> None:
    ledger = filled(store, 4)
    first = ledger.search("", 2, "")
    ledger.append({"request_id": "late", "product_name": "Late"})
    second = ledger.search("", 2, first.next_token)
    assert [record["sequence"] for record in second.records] == [1, 0]


def test_a_record_is_found_by_its_number(store: ObjectStore) -> None:
    ledger = filled(store, 2 * SEGMENT + 1)
    for number in (0, SEGMENT, 2 * SEGMENT):
        assert ledger.get(number)["product_name"] == f"Flask {number}"
    with pytest.raises(NotFoundError):
        ledger.get(2 * SEGMENT + 1)


@pytest.mark.parametrize(("query", "size", "token"), [("x" * 201, 1, ""), ("", 1001, ""), ("", 1, "-1"), ("", 1, "x")])
def test_what_is_out_of_range_is_refused(store: ObjectStore, query: str, size: int, token: str) -> None:
    with pytest.raises(InvalidInputError):
        Ledger(store, attempts=5).search(query, size, token)
