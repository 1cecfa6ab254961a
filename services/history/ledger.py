"""The list of records: nothing that was added is ever lost, and adding takes the same time however long it is.

    static/history_setting.json     the head: the newest records, SEGMENT to 2 * SEGMENT of them
    ledger/{number}.json            segments of SEGMENT older records each, written once and never changed

Records are added to the head by compare-and-swap; those that wait in one process go out in one write. A head that is
full has its oldest records copied into a segment, and then dropped by the same write that adds the next one. Each
record holds its number, so the head tells how many segments there are; a crash between the two leaves a segment that
the head does not count yet, and that is written again with the same records.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from prometheus_client import Counter
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from services.history import keys
from services.history.lines import Record, beginning, field, join, sequence_of, split, to_line, to_record
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore
from services.runtime.errors import ContentionError, InvalidInputError, NotFoundError, UnavailableError
from services.runtime.work import seconds_left

ADDED = Counter("productimage_ledger_added", "Records added to the history.")
WRITES = Counter("productimage_ledger_writes", "Writes that added records, by how they ended.", ["outcome"])

SEGMENT = 100
LONGEST_TRY_SECONDS = 20
LONGEST_PAGE = 1000
LONGEST_QUERY = 200
LONGEST_SEARCH = 2000
SEARCHED = ("product_name", "product_describe", "target_audience", "short_ad", "long_ad")
DEFAULT_PAGE = 100


@dataclass(frozen=True)
class Page:
    """Part of the list.

    Attributes:
        records: In the order asked for.
        next_token: For the next page; empty on the last.
    """

    records: list[Record]
    next_token: str


@dataclass(frozen=True)
class Snapshot:
    """The whole list at one moment.

    Attributes:
        etag: Changes when the list changes; empty while there is none.
        chunks: A JSON list in order, oldest record first. Read as they are asked for.
    """

    etag: str
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class _Head:
    """The newest records.

    Attributes:
        lines: One per record, oldest first.
        etag: None while there is no file.
        segments: How many segments of older records there are.
    """

    lines: list[bytes]
    etag: str | None
    segments: int

    @property
    def next_sequence(self) -> int:
        return sequence_of(self.lines[-1]) + 1 if self.lines else self.segments * SEGMENT

    @property
    def length(self) -> int:
        return self.segments * SEGMENT + len(self.lines)


@dataclass(frozen=True)
class _Addition:
    """A record that waits to be added, and what became of it.

    Attributes:
        record: The record.
        since: How many segments there were at most when its request was first made.
        added: The record as it was added, or the one of the same request that was there.
    """

    record: Record
    since: int
    added: "Future[Record]"

    @property
    def mark(self) -> bytes:
        return field("request_id", self.record["request_id"])


class Ledger:
    """The records in a store. Safe to call from several threads, and beside other processes.

    Args:
        store: Where the files are kept.
        attempts: How often an addition is tried when others write too.
    """

    def __init__(self, store: ObjectStore, attempts: int) -> None:
        self._store = store
        self._waiting: deque[_Addition] = deque()
        self._commit = threading.Lock()
        self._segments_seen: int | None = None
        self._retrying = Retrying(
            retry=retry_if_exception_type((ConflictError, UnavailableError)),
            stop=stop_after_attempt(attempts) | stop_after_delay(LONGEST_TRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=1),
        )

    def segments_at_least(self) -> int:
        """Give how many segments there are, or were a moment ago. What is added from now on is in none of them."""
        return self._read_head().segments if self._segments_seen is None else self._segments_seen

    def append(self, record: Record, since: int = 0) -> Record:
        """Add a record, once per request_id: the same again gives the one that is there.

        Args:
            record: With its request_id.
            since: What `segments_at_least` gave before this request was first made: no older ones are searched.

        Raises:
            ContentionError: Too many others were writing; nothing was added.
            UnavailableError: The store does not answer; whether the record was added cannot be known now.
        """
        addition = _Addition(record, since, Future())
        self._waiting.append(addition)
        # Whoever gets in first adds what has queued up by then; the others find theirs done.
        with self._commit:
            if not addition.added.done():
                self._add_together([self._waiting.popleft() for _ in range(len(self._waiting))])
        return addition.added.result()

    def _add_together(self, additions: Sequence[_Addition]) -> None:
        try:
            added = self._retrying(self._try_to_add, additions)
        except RetryError as failure:
            error = failure.last_attempt.exception()
            if isinstance(error, ConflictError):
                error = ContentionError("Too many results are being saved at this moment: try again.")
            self._fail(additions, error)
        except BaseException as error:  # noqa: BLE001  # each of those that wait raises it
            self._fail(additions, error)
        else:
            for addition, record in zip(additions, added, strict=True):
                addition.added.set_result(record)

    def _fail(self, additions: Sequence[_Addition], error: BaseException | None) -> None:
        """Tell those that wait, but for those whose record is there: the last try may have been written after all."""
        for addition in additions:
            present = None
            if isinstance(error, ContentionError):
                present = self.find(addition.record["request_id"], addition.since)
            if present is not None:
                addition.added.set_result(present)
            else:
                addition.added.set_exception(error or AssertionError())

    def _try_to_add(self, additions: Sequence[_Addition]) -> list[Record]:
        """Add what is not there yet, with one write.

        A write whose answer got lost shows at the next try: its records are there although it seemed to fail.
        """
        if seconds_left() == 0:  # what those who wait have put in place may soon be cleared away
            raise UnavailableError("The storage was too slow.")
        head = self._read_head()
        lines: dict[bytes, bytes] = {}
        present: dict[bytes, bytes] = {}
        for addition in additions:
            found = self._find_line(addition.mark, head, addition.since)
            if found is not None:
                present[addition.mark] = found
            elif addition.mark not in lines:
                lines[addition.mark] = to_line(addition.record, head.next_sequence + len(lines))
        if lines:
            self._write_counted(head, list(lines.values()))
        return [to_record((present | lines)[addition.mark]) for addition in additions]

    def _write_counted(self, head: _Head, added: list[bytes]) -> None:
        try:
            self._write(head, added)
        except (ConflictError, UnavailableError) as error:
            WRITES.labels("conflict" if isinstance(error, ConflictError) else "unanswered").inc()
            raise
        WRITES.labels("written").inc()
        ADDED.inc(len(added))

    def _write(self, head: _Head, added: list[bytes]) -> None:
        keep, segments = head.lines, head.segments
        while len(keep) >= 2 * SEGMENT:
            # Other writers of the same head write the same segment.
            self._store.put(keys.segment(segments), join(keep[:SEGMENT]), keys.JSON)
            keep, segments = keep[SEGMENT:], segments + 1
        data = join([*keep, *added])
        if head.etag is None:
            self._store.create(keys.RECORDS, data, keys.JSON)
        else:
            self._store.replace(keys.RECORDS, data, keys.JSON, head.etag)

    def find(self, request_id: str, since: int = 0) -> Record | None:
        """Give the record that a request made.

        Args:
            request_id: The request's.
            since: What `segments_at_least` gave before the request was first made: no older ones are searched.
        """
        line = self._find_line(field("request_id", request_id), self._read_head(), since)
        return None if line is None else to_record(line)

    def has_upload(self, timestamp: str, since: int = 0) -> bool:
        """Tell whether any record was made from an upload.

        Args:
            timestamp: The upload's.
            since: What `segments_at_least` gave before the upload was made: no older ones are searched.
        """
        mark = beginning("product_image_filename", f"{timestamp}/")
        return self._find_line(mark, self._read_head(), since) is not None

    def _find_line(self, mark: bytes, head: _Head, since: int) -> bytes | None:
        for lines in (head.lines, *(self._segment(number) for number in range(since, head.segments))):
            found = next((line for line in reversed(lines) if mark in line), None)
            if found is not None:
                return found
        return None

    def page(self, size: int, token: str) -> Page:
        """Give a part of the list.

        Args:
            size: At most so many records, 1 to 1000; 0: 100.
            token: Empty for the first page, then the one of the page before.

        Raises:
            InvalidInputError: The size or the token is out of range.
        """
        _check_page(size, token)
        head = self._read_head()
        start = int(token or 0)
        end = start + (size or DEFAULT_PAGE)
        lines = self._lines(head, start, end)
        return Page([to_record(line) for line in lines], str(end) if end < head.length else "")

    def search(self, query: str, size: int, token: str) -> Page:
        """Look for records, newest first, through at most `LONGEST_SEARCH` of them.

        Args:
            query: What one of their texts holds, in any case; empty: any.
            size: At most so many records, 1 to 1000; 0: 100.
            token: Empty for the first page, then the one of the page before.

        Returns:
            A page that may be short, or empty, though others follow it.

        Raises:
            InvalidInputError: The size, the token or the query is out of range.
        """
        _check_page(size, token)
        if len(query) > LONGEST_QUERY:
            raise InvalidInputError(f"Look for at most {LONGEST_QUERY} characters.", "QUERY")
        head = self._read_head()
        position = min(int(token), head.length) if token else head.length
        floor, wanted = max(0, position - LONGEST_SEARCH), query.casefold()
        found: list[Record] = []
        while position > floor and len(found) < (size or DEFAULT_PAGE):
            start = max(floor, (position - 1) // SEGMENT * SEGMENT)  # a file at a time
            lines = self._lines(head, start, position)
            position = start
            for index in reversed(range(len(lines))):
                record = to_record(lines[index])
                if wanted in "\n".join(str(record.get(name, "")) for name in SEARCHED).casefold():
                    found.append(record)
                if len(found) == (size or DEFAULT_PAGE):
                    position = start + index
                    break
        return Page(found, str(position) if position else "")

    def get(self, sequence: int) -> Record:
        """Give the record of a number.

        Raises:
            NotFoundError: There is none.
        """
        lines = self._lines(self._read_head(), sequence, sequence + 1)
        if not lines:
            raise NotFoundError("There is no record of this number.")
        return to_record(lines[0])

    def _lines(self, head: _Head, start: int, end: int) -> list[bytes]:
        first, last = start // SEGMENT, -(-end // SEGMENT)
        older = [self._segment(number) for number in range(first, min(last, head.segments))]
        lines = [line for segment in older for line in segment]
        if last > head.segments:
            lines += head.lines
        skipped = start - min(first, head.segments) * SEGMENT
        return lines[skipped : skipped + end - start]

    def snapshot(self) -> Snapshot:
        """Give the whole list."""
        head = self._read_head()
        return Snapshot(head.etag or "", self._chunks(head))

    def _chunks(self, head: _Head) -> Iterator[bytes]:
        opening = b"["
        for number in range(head.segments + 1):
            lines = head.lines if number == head.segments else self._segment(number)
            if lines:
                yield opening + b"\n" + b",\n".join(lines)
                opening = b","
        yield b"[]\n" if opening == b"[" else b"\n]\n"

    def _segment(self, number: int) -> list[bytes]:
        try:
            return split(self._store.get(keys.segment(number)).data)
        except ObjectNotFoundError:
            return []  # somebody has taken records out of the head by hand

    def _read_head(self) -> _Head:
        try:
            found = self._store.get(keys.RECORDS)
            lines, etag = split(found.data), found.etag
        except ObjectNotFoundError:
            lines, etag = [], None
        segments = sequence_of(lines[0]) // SEGMENT if lines else sum(1 for _ in self._store.list(keys.SEGMENTS))
        self._segments_seen = max(segments, self._segments_seen or 0)
        return _Head(lines, etag, segments)


def _check_page(size: int, token: str) -> None:
    if size > LONGEST_PAGE:
        raise InvalidInputError(f"A page has at most {LONGEST_PAGE} records.", "PAGE_SIZE")
    if token and not (token.isascii() and token.isdigit() and len(token) < 16):
        raise InvalidInputError("The page token is not one that this call gave.", "PAGE_TOKEN")
