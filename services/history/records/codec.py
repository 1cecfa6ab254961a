"""Records as stored: a JSON list with one record per line, so that few bytes need to be parsed.

JSON escapes line breaks, so lines can be split and joined as bytes. Files in another layout, such as those of the
original backend, are parsed as a whole.
"""

import json
from collections.abc import Sequence
from typing import Any

Record = dict[str, Any]
"""A record as stored; fields unknown to this version are kept."""

_START = b'{"sequence": '
_OPEN, _BETWEEN, _CLOSE = b"[\n", b",\n", b"\n]\n"


def to_line(record: Record, sequence: int) -> bytes:
    """Encode a record as a line, with its sequence number as the first field."""
    number = {"sequence": sequence}
    return json.dumps(number | record | number, ensure_ascii=False).encode()


def to_record(line: bytes) -> Record:
    """Decode a line."""
    record: Record = json.loads(line)
    return record


def sequence_of(line: bytes) -> int:
    """Return the sequence number of a line."""
    return int(line[len(_START) : line.index(b",")])


def field(name: str, value: str) -> bytes:
    """Return bytes found only in lines with this field: quotation marks inside strings are escaped."""
    return f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}".encode()


def field_prefix(name: str, value: str) -> bytes:
    """Return the same for a field whose value starts with this one."""
    return field(name, value)[:-1]


def join(lines: Sequence[bytes]) -> bytes:
    """Encode lines as a file."""
    return _OPEN + _BETWEEN.join(lines) + _CLOSE if lines else b"[]\n"


def split(data: bytes) -> list[bytes]:
    """Split a file into lines, one per record.

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
