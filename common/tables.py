"""Tables as people export them: CSV with any usual separator, in any usual encoding. The one reader of all lists."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SEPARATORS = (",", ";", "\t")
_ANNOUNCEMENT = re.compile(r'\s*"?sep=(.)"?[ \t]*\r?\n', re.IGNORECASE)
"""The line with which spreadsheets announce the separator."""
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_COMMON = {
    "cp950": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]"),
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]"),
}
"""The first levels of Big5 and GB 2312: nearly every character of an ordinary text is in one of them."""
_HIGH = re.compile(rb"[\x80-\xff].?", re.DOTALL)


class TableError(Exception):
    """A table cannot be read as a whole. The text says why and what to do.

    Args:
        message: The text.
        reason: Stable UPPER_SNAKE_CASE reason for programs.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MissingColumnError(TableError):
    """A table lacks a column.

    Args:
        missing: Names of the columns it lacks.
        present: Names of the columns it has.
    """

    def __init__(self, missing: Sequence[str], present: Sequence[str]) -> None:
        self.missing = missing
        self.present = ", ".join(present)[:200] or "none"
        text = f"There is no column {' and '.join(missing)}. The columns are: {self.present}."
        super().__init__(text, "MISSING_COLUMN")


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        line: Number of its last line in the file; the first line is 1.
        cells: Its cells by the names of their columns, without blanks around them. Missing cells are empty.
    """

    line: int
    cells: dict[str, str]


def read_table(data: bytes, required: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a table; empty ones are left out. Names of columns are read in lower case.

    Args:
        data: CSV with commas, semicolons or tabs, announced by "sep=" or not; in UTF-8, UTF-16, Big5, GB 18030 or
            Windows-1252.
        required: Names of the columns it must have.

    Raises:
        TableError: The table is empty or cannot be read as a whole.
        MissingColumnError: It lacks a column.
    """
    text = _text(data)
    announced = _ANNOUNCEMENT.match(text)
    skipped = announced.end() if announced else len(text) - len(text.lstrip())
    first_line = text.count("\n", 0, skipped)
    body = text[skipped:]
    separators = (announced[1],) if announced else SEPARATORS
    headers = {separator: _header(body, separator) for separator in separators}
    missing = {separator: [name for name in required if name not in names] for separator, names in headers.items()}
    separator = min(separators, key=lambda one: (len(missing[one]), -len(headers[one])))
    if missing[separator]:
        raise MissingColumnError(missing[separator], headers[separator])
    names = headers[separator]
    try:
        rows = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
        next(rows)
        for row in rows:
            if any(map(str.strip, row)):
                cells = dict(zip(names, map(str.strip, [*row, *[""] * len(names)]), strict=False))
                yield Row(first_line + rows.line_num, cells)
    except csv.Error as error:
        raise TableError(f"The table cannot be read: {error}.", "BAD_CSV") from None


def _header(body: str, separator: str) -> list[str]:
    try:
        first = next(csv.reader(io.StringIO(body, newline=""), delimiter=separator), [])
    except csv.Error:
        return []
    return [name.strip().lower() for name in first]


def _text(data: bytes) -> str:
    if not data.strip():
        raise TableError("The file is empty: send a table as CSV.", "EMPTY_CSV")
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise TableError("The file cannot be read as text: save it as CSV in UTF-8.", "CSV_ENCODING")
    return text


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    if b"\0" in data:  # UTF-16 without a mark has one in every separator
        return "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    best = max(_COMMON, key=lambda encoding: _commonness(data, encoding))
    for encoding in ("utf-8", *([best] if _commonness(data, best) > 0.5 else [])):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "cp1252"


def _commonness(data: bytes, encoding: str) -> float:
    """Return which part of the characters outside of ASCII are common ones in an encoding, 0 to 1."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    characters = _HIGH.findall(data)
    return sum(_COMMON[encoding].fullmatch(one) is not None for one in characters) / max(1, len(characters))
