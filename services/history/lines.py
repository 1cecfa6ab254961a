"""Records as they lie in files: a JSON list with one record per line, so that few bytes need to be parsed.

No line holds a line break (JSON escapes them), so lines can be cut apart and put together as bytes. Files that look
otherwise, such as the original backend's, are parsed as a whole.
"""

import json
from collections.abc import Sequence
from typing import Any

Record = dict[str, Any]
"""As it lies in a file: fields that this version does not know are kept."""

_START = b'{"sequence": '
_OPEN, _BETWEEN, _CLOSE = b"[\n", b",\n", b"\n]\n"


def to_line(record: Record, sequence: int) -> bytes:
    """Write a record with its number in the history, which goes first."""
    number = {"sequence": sequence}
    return json.dumps(number | record | number, ensure_ascii=False).encode()


def to_record(line: bytes) -> Record:
    """Read a record."""
    record: Record = json.loads(line)
    return record


def sequence_of(line: bytes) -> int:
    """Give a record's number in the history."""
    return int(line[len(_START) : line.index(b",")])


def field(name: str, value: str) -> bytes:
    """Give the bytes that a line with this field holds, and no other: quotation marks inside texts are escaped."""
    return f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}".encode()


def beginning(name: str, value: str) -> bytes:
    """Give the same for a field whose value begins so."""
    return field(name, value)[:-1]


def join(lines: Sequence[bytes]) -> bytes:
    """Write a file."""
    return _OPEN + _BETWEEN.join(lines) + _CLOSE if lines else b"[]\n"


def split(data: bytes) -> list[bytes]:
    """Read a file.

    Raises:
        ValueError: It is not JSON.
        TypeError: It is not a list of records.
    """
    if data.startswith(_OPEN + _START) and data.endswith(b"}" + _CLOSE):
        lines = data[len(_OPEN) : -len(_CLOSE)].split(_BETWEEN)
        if all(line.startswith(_START) and line.endswith(b"}") for line in lines):
            return lines
    records = json.loads(data.decode("utf-8-sig") or "[]")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise TypeError("not a JSON list of records")
    first = records[0].get("sequence", 0) if records else 0
    return [to_line(record, first + number) for number, record in enumerate(records)]
