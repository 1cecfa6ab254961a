"""Queries on the record log: filtered pages, and the whole list as stored."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.errors import InvalidInputError
from services.history.records.codec import Record, listed, sequence_of, to_record
from services.history.records.log import SEGMENT, Head, RecordLog

MAX_PAGE = 1000
DEFAULT_PAGE = 100
MAX_TEXT = 200
"""Characters of a filter text."""
MAX_SCAN = 2000
"""Records that one call scans at most."""
SEARCHED = ("product_name", "product_describe", "target_audience", "short_ad", "long_ad")


@dataclass(frozen=True)
class RecordQuery:
    """Which records to list. Conditions are combined with AND.

    Attributes:
        text: Case-insensitive text in one of the SEARCHED fields; empty matches every record.
        sequence: Number of the record. None: any.
        audience: Case-insensitive text in the audience; empty matches every record.
        brand: Name of the brand; empty matches every record.
        since: First day, YYYYMMDD; empty: any.
        until: Last day, YYYYMMDD; empty: any.
        descending: Whether the newest record comes first.
        page_size: Maximum number of records, 1 to 1000; 0 means 100.
        page_token: Empty for the first page, then the one returned with the previous page.
    """

    text: str = ""
    sequence: int | None = None
    audience: str = ""
    brand: str = ""
    since: str = ""
    until: str = ""
    descending: bool = False
    page_size: int = 0
    page_token: str = ""

    def matches(self, record: Record) -> bool:
        """Return whether a record meets every condition but that on its number."""
        day = str(record.get("write_date", ""))[:8]
        return (
            self.text.casefold() in "\n".join(str(record.get(name, "")) for name in SEARCHED).casefold()
            and self.audience.casefold() in str(record.get("target_audience", "")).casefold()
            and self.brand in ("", record.get("brand"))
            and self.since <= day
            and (not self.until or day <= self.until)
        )


@dataclass(frozen=True)
class Page:
    """Part of the list.

    Attributes:
        records: Records, in the requested order. A page may be short, or empty, and still have a next one.
        next_token: Token of the next page; empty on the last page.
    """

    records: list[Record]
    next_token: str


@dataclass(frozen=True)
class Snapshot:
    """The whole list at one moment.

    Attributes:
        etag: Entity tag; empty while the list is empty.
        chunks: One JSON array, oldest record first, read from the store as it is consumed.
    """

    etag: str
    chunks: Iterator[bytes]


class RecordQueries:
    """Queries on a record log.

    Args:
        log: The record log.
    """

    def __init__(self, log: RecordLog) -> None:
        self._log = log

    def list_records(self, query: RecordQuery) -> Page:
        """Return a page of the records that match a query.

        Raises:
            InvalidInputError: A value of the query is out of range.
        """
        _check(query)
        head = self._log.read_head()
        if query.sequence is not None:
            lines = listed(self._log.lines(head, query.sequence, query.sequence + 1))
            return Page([record for record in map(to_record, lines) if query.matches(record)], "")
        return self._descending(query, head) if query.descending else self._ascending(query, head)

    def _ascending(self, query: RecordQuery, head: Head) -> Page:
        size, position = query.page_size or DEFAULT_PAGE, int(query.page_token or 0)
        limit, found = min(position + MAX_SCAN, head.length), list[Record]()
        while position < limit and len(found) < size:
            end = min((position // SEGMENT + 1) * SEGMENT, limit)  # one file at a time
            for line in listed(self._log.lines(head, position, end)):
                record = to_record(line)
                if query.matches(record):
                    found.append(record)
                if len(found) == size:
                    position = sequence_of(line) + 1
                    break
            else:
                position = end
        return Page(found, str(position) if position < head.length else "")

    def _descending(self, query: RecordQuery, head: Head) -> Page:
        size = query.page_size or DEFAULT_PAGE
        position = min(int(query.page_token), head.length) if query.page_token else head.length
        limit, found = max(0, position - MAX_SCAN), list[Record]()
        while position > limit and len(found) < size:
            start = max(limit, (position - 1) // SEGMENT * SEGMENT)  # one file at a time
            lines = listed(self._log.lines(head, start, position))
            position = start
            for line in reversed(lines):
                record = to_record(line)
                if query.matches(record):
                    found.append(record)
                if len(found) == size:
                    position = sequence_of(line)
                    break
        return Page(found, str(position) if position else "")

    def snapshot(self) -> Snapshot:
        """Return the whole list.

        Raises:
            DamagedStoreError: A part of it cannot be read.
        """
        head, etag = self._log.check()
        return Snapshot(etag, self._chunks(head))

    def _chunks(self, head: Head) -> Iterator[bytes]:
        opening = b"[\n"
        for number in range(head.segments):
            lines = listed(self._log.segment(number))
            if lines:
                yield opening + b",\n".join(lines)
                opening = b",\n"
        lines = listed(head.lines)
        if lines:
            yield opening + b",\n".join(lines) + b"\n]\n"
        else:
            yield b"[]\n" if opening == b"[\n" else b"\n]\n"


def _check(query: RecordQuery) -> None:
    if query.page_size > MAX_PAGE:
        raise InvalidInputError(f"A page has at most {MAX_PAGE} records.", "PAGE_SIZE")
    if max(map(len, (query.text, query.audience))) > MAX_TEXT:
        raise InvalidInputError(f"Search for at most {MAX_TEXT} characters.", "FILTER_TEXT")
    if not all(re.fullmatch(r"(\d{8})?", day, re.ASCII) for day in (query.since, query.until)):
        raise InvalidInputError("Write days as YYYYMMDD.", "FILTER_DAY")
    token = query.page_token
    if token and not (token.isascii() and token.isdigit() and len(token) < 16):
        raise InvalidInputError("The page token was not returned by this call.", "PAGE_TOKEN")
