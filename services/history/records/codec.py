"""Records as stored: a JSON list with one record per line, so that few bytes need to be parsed.

JSON escapes line breaks, so lines can be split and joined as bytes. Files in another layout, such as those of the
original backend, are parsed as a whole.

A line holds a record, a tombstone in place of a deleted one (`{"sequence": 7, "deleted": "20261125093000"}`), or
something that is no record, which is kept as it is and never listed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Required

from prometheus_client import Counter
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

UNREADABLE = Counter("productimage_ledger_unreadable", "Entries passed over in a listing because they are no records.")

Record = dict[str, Any]
"""A record as stored; fields unknown to this version are kept."""

_START = b'{"sequence": '
_NUMBER = re.compile(rb'\{"sequence": (\d{1,10})[,}]')
_DELETED = b' "deleted": "'
_OPEN, _BETWEEN, _CLOSE = b"[\n", b",\n", b"\n]\n"
_NO_JSON = (b"NaN", b"Infinity")
"""Python reads and writes these, browsers do not."""
MAX_SEQUENCE = 2**32
REMEMBERED = 65_536
"""Lines known to hold records; to check one takes several times as long as to know it again."""
_known: set[int] = set()
"""Their hashes, which nobody outside can choose: Python keys them. Nothing of a deleted record stays in memory."""


UInt32 = Annotated[int, Field(ge=0, lt=2**32)]


class _Stage(TypedDict, total=False):
    name: str
    engine: str
    model: str
    seed: UInt32
    prompt: str
    seconds: float
    inputs: list[str]
    outputs: list[str]
    facts: dict[str, str]
    dollars: float
    pixels: list[str]


class _Manifest(TypedDict, total=False):
    software_version: str
    stages: list[_Stage]


class _Text(TypedDict, total=False):
    platform: str
    name: str
    texts: list[str]


class _Box(TypedDict, total=False):
    left: UInt32
    top: UInt32
    right: UInt32
    bottom: UInt32


class _Element(TypedDict, total=False):
    element: str
    box: _Box


class _Placed(TypedDict, total=False):
    picture: str
    layout: str
    elements: list[_Element]


class _Words(TypedDict, total=False):
    headline: str
    call_to_action: str
    price: str
    legal: str


class _Preferences(TypedDict, total=False):
    scene: str
    avoid: str
    style: str
    shadow: float


class _Fidelity(TypedDict, total=False):
    picture: str
    largest: float
    mean: float
    edge: float


class _Arrangement(TypedDict, total=False):
    right: float
    down: float
    scale: float


class _Product(TypedDict, total=False):
    picture: str
    box: _Box
    arrangement: _Arrangement


class _Light(TypedDict, total=False):
    right: float
    up: float
    towards: float
    shadow: float
    softness: float


class _Placement(TypedDict, total=False):
    box: _Box
    light: _Light
    reflectance: float
    pitch: float


class _Removal(TypedDict, total=False):
    path: Required[str]
    sha256: str
    everywhere: bool
    objects: list[UInt32]


class _Background(TypedDict, total=False):
    path: Required[str]
    placement: _Placement
    source_type: str
    removal: _Removal


class _Listed(TypedDict, total=False):
    """What a record must be for the frontend to show it, and for its message to be made."""

    write_date: Required[str]
    product_name: Required[str]
    generated_images: Required[list[str]]
    product_describe: str
    target_audience: str
    product_image_filename: str
    short_ad: str
    long_ad: str
    request_id: str
    engines: dict[str, str]
    seed: UInt32
    prompts: list[str]
    notes: list[str]
    manifest: _Manifest
    texts: list[_Text]
    words: _Words
    brand: str
    platforms: list[str]
    placed: list[_Placed]
    preferences: _Preferences
    fidelity: list[_Fidelity]
    dollars: float
    locale: str
    layout: str
    file_format: str
    products: list[_Product]
    backgrounds: list[_Background]
    parent: UInt32
    without_logo: bool
    sequence: Required[UInt32]


_LISTED = TypeAdapter(_Listed)


def to_line(record: Record, sequence: int) -> bytes:
    """Encode a record as a line, with its sequence number as the first field."""
    number = {"sequence": sequence}
    whole = number | record | number
    try:
        return json.dumps(whole, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only escapes can hold
        return json.dumps(whole).encode()


def tombstone(sequence: int, deleted: str) -> bytes:
    """Return the line in place of a deleted record."""
    return json.dumps({"sequence": sequence, "deleted": deleted}).encode()


def to_record(line: bytes) -> Record:
    """Decode a line."""
    record: Record = json.loads(line)
    return record


def listed(lines: Iterable[bytes]) -> list[bytes]:
    """Return the lines that hold records, without tombstones and what is no record."""
    entries = [line for line in lines if not is_tombstone(line)]
    records = [line for line in entries if _is_record(line)]
    UNREADABLE.inc(len(entries) - len(records))
    return records


def is_tombstone(line: bytes) -> bool:
    """Return whether a line stands for a deleted record."""
    return line.startswith(_DELETED, line.find(b",") + 1)


def _is_record(line: bytes) -> bool:
    seen = hash(line)
    if seen in _known:
        return True
    try:
        if any(word in line for word in _NO_JSON):
            json.loads(line, parse_constant=_reject)
        _LISTED.validate_json(line, strict=True)
    except ValueError:  # pydantic's errors are some
        return False
    if len(_known) >= REMEMBERED:
        _known.clear()
    _known.add(seen)
    return True


def _reject(constant: str) -> None:
    raise ValueError(constant)


def sequence_of(line: bytes) -> int:
    """Return the sequence number of a line."""
    number = _NUMBER.match(line)
    if number is None:
        raise ValueError("not a numbered line")
    return int(number[1])


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
    """Split a file into lines, one per record, numbered one after the other.

    Raises:
        ValueError: It is empty or no JSON list, or its numbers do not fit together.
    """
    if data.startswith(_OPEN + _START) and data.endswith(b"}" + _CLOSE):
        lines = data[len(_OPEN) : -len(_CLOSE)].split(_BETWEEN)
        if _are_consecutive(lines):
            return lines
    if not data:
        raise ValueError("empty; a list without records is []")
    try:
        entries = json.loads(data.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(entries, list):
        raise ValueError("not a JSON list")  # noqa: TRY004  # like any other fault of the file
    first = _first_sequence(entries)
    if not 0 <= first < MAX_SEQUENCE - len(entries):
        raise ValueError("its numbers do not fit")
    return [to_line(_as_record(entry), first + place) for place, entry in enumerate(entries)]


def _are_consecutive(lines: Sequence[bytes]) -> bool:
    try:
        first = sequence_of(lines[0])
        return all(
            line.startswith(_START) and line.endswith(b"}") and sequence_of(line) == first + place
            for place, line in enumerate(lines)
        )
    except ValueError:
        return False


def _first_sequence(entries: Sequence[Any]) -> int:
    """Return the number of the first entry, as any that has one tells; those of the original backend have none."""
    for place, entry in enumerate(entries):
        sequence = entry.get("sequence") if isinstance(entry, dict) else None
        if isinstance(sequence, int) and not isinstance(sequence, bool):
            return sequence - place
    return 0


def _as_record(entry: Any) -> Record:
    return entry if isinstance(entry, dict) else {"unreadable": entry}
