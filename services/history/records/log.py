"""The record log: nothing appended is ever lost, and an append takes the same time however long the log is.

    static/history_setting.json     the head: the newest records, SEGMENT to 2 * SEGMENT of them
    ledger/{number}.json            segments of SEGMENT older records each, written once and never changed

Records are appended to the head by compare-and-swap; all appends that wait in one process are committed in one write. A
full head has its oldest records copied to a segment, then dropped by the same write that appends the next record. Each
record holds its sequence number, so the head tells how many segments there are. A crash between the two writes leaves a
segment that the head does not count yet, and that is written again with the same records.
"""

import threading
from collections import deque
from collections.abc import Sequence
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

from common.errors import ContentionError, UnavailableError
from productimage.context import seconds_left
from services.history import paths
from services.history.records.codec import Record, field, field_prefix, join, sequence_of, split, to_line, to_record
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore

ADDED = Counter("productimage_ledger_added", "Records appended to the history.")
WRITES = Counter("productimage_ledger_writes", "Writes that appended records, by outcome.", ["outcome"])

SEGMENT = 100
"""Records per segment."""
MAX_RETRY_SECONDS = 20


@dataclass(frozen=True)
class Head:
    """The newest records.

    Attributes:
        lines: One per record, oldest first.
        etag: Entity tag of the file. None: there is no file yet.
        segments: Number of segments of older records.
    """

    lines: list[bytes]
    etag: str | None
    segments: int

    @property
    def next_sequence(self) -> int:
        """Sequence number of the next record."""
        return sequence_of(self.lines[-1]) + 1 if self.lines else self.segments * SEGMENT

    @property
    def length(self) -> int:
        """Number of records in the log."""
        return self.segments * SEGMENT + len(self.lines)


@dataclass(frozen=True)
class _Append:
    """An append that waits for its commit.

    Attributes:
        record: The record.
        since: Number of segments at most when its request first arrived.
        committed: The record as appended, or the earlier one of the same request.
    """

    record: Record
    since: int
    committed: "Future[Record]"

    @property
    def key(self) -> bytes:
        return field("request_id", self.record["request_id"])


class RecordLog:
    """The records in a store. Thread-safe, and safe beside other processes.

    Args:
        store: Object store.
        attempts: Attempts per append while others write too.
    """

    def __init__(self, store: ObjectStore, attempts: int) -> None:
        self._store = store
        self._waiting: deque[_Append] = deque()
        self._commit = threading.Lock()
        self._segments_seen: int | None = None
        self._retrying = Retrying(
            retry=retry_if_exception_type((ConflictError, UnavailableError)),
            stop=stop_after_attempt(attempts) | stop_after_delay(MAX_RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.02, max=1),
        )

    def segments_at_least(self) -> int:
        """Return a lower bound of the number of segments. Records appended from now on are in none of them."""
        return self.read_head().segments if self._segments_seen is None else self._segments_seen

    def append(self, record: Record, since: int = 0) -> Record:
        """Append a record, once per request_id: repeating it returns the original record.

        Args:
            record: Record with its request_id.
            since: Result of `segments_at_least` before the request first arrived; older segments are not searched.

        Raises:
            ContentionError: Too many writers competed; nothing was appended.
            UnavailableError: The store does not respond; whether the record was appended is unknown.
        """
        append = _Append(record, since, Future())
        self._waiting.append(append)
        # Whoever gets the lock first commits everything that is waiting; the others find theirs done.
        with self._commit:
            if not append.committed.done():
                self._commit_together([self._waiting.popleft() for _ in range(len(self._waiting))])
        return append.committed.result()

    def _commit_together(self, appends: Sequence[_Append]) -> None:
        try:
            committed = self._retrying(self._try_commit, appends)
        except RetryError as failure:
            error = failure.last_attempt.exception()
            if isinstance(error, ConflictError):
                error = ContentionError("The history is busy. Try again in a moment.")
            self._fail(appends, error)
        except BaseException as error:  # noqa: BLE001  # each waiter raises it
            self._fail(appends, error)
        else:
            for append, record in zip(appends, committed, strict=True):
                append.committed.set_result(record)

    def _fail(self, appends: Sequence[_Append], error: BaseException | None) -> None:
        """Fail the appends, except those whose record is present: the last attempt may have been written after all."""
        for append in appends:
            present = None
            if isinstance(error, ContentionError):
                present = self.find(append.record["request_id"], append.since)
            if present is not None:
                append.committed.set_result(present)
            else:
                append.committed.set_exception(error or AssertionError())

    def _try_commit(self, appends: Sequence[_Append]) -> list[Record]:
        """Append what is not present yet, in one write.

        A write whose response was lost shows up in the next attempt: its records are present although it failed.
        """
        if seconds_left() == 0:  # the sweep may soon remove the pictures of these records
            raise UnavailableError("The object store did not respond in time. Try again.")
        head = self.read_head()
        lines: dict[bytes, bytes] = {}
        present: dict[bytes, bytes] = {}
        for append in appends:
            found = self._find_line(append.key, head, append.since)
            if found is not None:
                present[append.key] = found
            elif append.key not in lines:
                lines[append.key] = to_line(append.record, head.next_sequence + len(lines))
        if lines:
            self._write_counted(head, list(lines.values()))
        return [to_record((present | lines)[append.key]) for append in appends]

    def _write_counted(self, head: Head, added: list[bytes]) -> None:
        try:
            self._write(head, added)
        except (ConflictError, UnavailableError) as error:
            WRITES.labels("conflict" if isinstance(error, ConflictError) else "unanswered").inc()
            raise
        WRITES.labels("written").inc()
        ADDED.inc(len(added))

    def _write(self, head: Head, added: list[bytes]) -> None:
        kept, segments = head.lines, head.segments
        while len(kept) >= 2 * SEGMENT:
            # Other writers of the same head write the same segment.
            self._store.put(paths.segment(segments), join(kept[:SEGMENT]), paths.JSON)
            kept, segments = kept[SEGMENT:], segments + 1
        data = join([*kept, *added])
        if head.etag is None:
            self._store.create(paths.RECORDS, data, paths.JSON)
        else:
            self._store.replace(paths.RECORDS, data, paths.JSON, head.etag)

    def find(self, request_id: str, since: int = 0) -> Record | None:
        """Return the record that a request made, if any.

        Args:
            request_id: Id of the request.
            since: Result of `segments_at_least` before the request first arrived; older segments are not searched.
        """
        line = self._find_line(field("request_id", request_id), self.read_head(), since)
        return None if line is None else to_record(line)

    def has_upload(self, timestamp: str, since: int = 0) -> bool:
        """Return whether any record was made from an upload.

        Args:
            timestamp: Timestamp of the upload.
            since: Result of `segments_at_least` before the upload was created; older segments are not searched.
        """
        prefix = field_prefix("product_image_filename", f"{timestamp}/")
        return self._find_line(prefix, self.read_head(), since) is not None

    def _find_line(self, key: bytes, head: Head, since: int) -> bytes | None:
        for lines in (head.lines, *(self.segment(number) for number in range(since, head.segments))):
            found = next((line for line in reversed(lines) if key in line), None)
            if found is not None:
                return found
        return None

    def lines(self, head: Head, start: int, end: int) -> list[bytes]:
        """Return the lines of the records numbered from start, inclusive, to end, exclusive."""
        first, last = start // SEGMENT, -(-end // SEGMENT)
        older = [self.segment(number) for number in range(first, min(last, head.segments))]
        lines = [line for segment in older for line in segment]
        if last > head.segments:
            lines += head.lines
        skipped = start - min(first, head.segments) * SEGMENT
        return lines[skipped : skipped + end - start]

    def segment(self, number: int) -> list[bytes]:
        """Return the lines of a segment."""
        try:
            return split(self._store.get(paths.segment(number)).data)
        except ObjectNotFoundError:
            return []  # someone removed records from the head by hand

    def read_head(self) -> Head:
        """Read the newest records."""
        try:
            found = self._store.get(paths.RECORDS)
            lines, etag = split(found.data), found.etag
        except ObjectNotFoundError:
            lines, etag = [], None
        segments = sequence_of(lines[0]) // SEGMENT if lines else sum(1 for _ in self._store.list(paths.SEGMENTS))
        self._segments_seen = max(segments, self._segments_seen or 0)
        return Head(lines, etag, segments)
