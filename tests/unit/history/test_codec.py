"""Lines of the history: what is a record, and what is kept of it in memory."""

from services.history.records import codec
from services.history.records.codec import UNREADABLE, listed, to_line

GOOD = to_line({"write_date": "20261127", "product_name": "a private name", "generated_images": []}, 0)
BAD = b'{"sequence": 1, "write_date": 5}'


def counted() -> float:
    return float(UNREADABLE._value.get())


def test_what_is_no_record_is_counted_each_time() -> None:
    before = counted()
    for _ in range(3):
        assert listed([GOOD, BAD]) == [GOOD]
    assert counted() == before + 3


def test_a_line_that_changes_is_checked_anew() -> None:
    assert listed([GOOD]) == [GOOD]
    assert listed([GOOD.replace(b'"generated_images": []', b'"generated_images": 7')]) == []


def test_nothing_that_a_record_says_is_kept() -> None:
    listed([GOOD])
    assert all(isinstance(seen, int) for seen in codec._known)
