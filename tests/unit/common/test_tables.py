import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.tables import MissingColumnError, Row, TableError, read_table

CHINESE, SIMPLIFIED, WESTERN = "王小明、李四", "王伟和刘洋", "José Müller"
MARKED = ("utf-8-sig", "utf-16")
BARE = ("utf-8", "utf-16-le", "utf-16-be")


def cells(data: bytes, *required: str) -> list[dict[str, str]]:
    return [row.cells for row in read_table(data, required or ("uid",))]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        *((CHINESE, encoding) for encoding in (*MARKED, *BARE, "cp950", "gb18030")),
        *((SIMPLIFIED, encoding) for encoding in (*MARKED, *BARE, "gb18030")),
        *((WESTERN, encoding) for encoding in (*MARKED, *BARE, "cp1252")),
    ],
)
def test_every_usual_file_is_read(name: str, encoding: str, separator: str, newline: str) -> None:
    lines = [("Name", " UID "), (name, "a"), ("", ""), (f"{name}{separator} x", "b")]
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=newline).writerows(lines)
    assert cells(text.getvalue().encode(encoding)) == [
        {"name": name, "uid": "a"},
        {"name": f"{name}{separator} x", "uid": "b"},
    ]


@pytest.mark.parametrize("start", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\n\n sep=;\n"])
def test_an_announced_separator_counts(start: str) -> None:
    assert cells(f"{start}a,b;uid\nx,y;1\n".encode()) == [{"a,b": "x,y", "uid": "1"}]


def test_lines_are_told_as_an_editor_counts_them() -> None:
    data = b'\n\nuid,name\n1,x\n\n2,"two\nlines"\n3,z\n'
    assert [(row.line, row.cells["uid"]) for row in read_table(data, ["uid"])] == [(4, "1"), (7, "2"), (8, "3")]


def test_missing_cells_are_empty_and_further_ones_belong_to_no_column() -> None:
    assert cells(b"uid,name\n1\n2,x,more\n") == [{"uid": "1", "name": ""}, {"uid": "2", "name": "x"}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "EMPTY_CSV"),
        (b" \r\n ", "EMPTY_CSV"),
        (b"name;city\nx;y\n", "MISSING_COLUMN"),
        (b'uid\n"1\n2\n', "BAD_CSV"),
        (b'uid\n"1"2\n', "BAD_CSV"),
        (b"uid\n" + b"x" * 200_000, "BAD_CSV"),
        ("uid\n1\n".encode("utf-16")[:-1], "CSV_ENCODING"),
        (b"uid\n\x81\x8d\x8f\n", "CSV_ENCODING"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 5, "CSV_ENCODING"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(TableError) as caught:
        cells(data)
    assert caught.value.reason == reason


def test_the_missing_columns_are_named() -> None:
    with pytest.raises(MissingColumnError, match="no column photo and name") as caught:
        cells(b"a;b\n1;2\n", "photo", "name")
    assert caught.value.missing == ["photo", "name"]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(TableError):
        assert all(isinstance(row, Row) for row in read_table(data, ["uid"]))
