"""The record log: nothing appended is ever lost, and an append takes the same time however long the log is.

    static/history_setting.json     the head: the newest records, SEGMENT to 2 * SEGMENT of them
    ledger/{number}.json            segments of SEGMENT older records each, changed only to delete a record

Records are appended to the head by compare-and-swap; all appends that wait in one process are committed in one write. A
full head has its oldest records copied to a segment, then dropped by the same write that appends the next record. Each
record holds its sequence number, so the head tells how many segments there are. A crash between the two writes leaves a
segment that the head does not count yet, and that the next writer replaces.

A file that is damaged or missing is an error and is never overwritten; see `DamagedStoreError`.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import Counter
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
    wait_random_exponential,
)

from common.errors import ContentionError, DamagedStoreError, UnavailableError
from productimage.context import seconds_left
from services.history import paths
from services.history.records.codec import (
    Record,
    field,
    field_prefix,
    is_tombstone,
    join,
    sequence_of,
    split,
    to_line,
    to_record,
    tombstone,
)
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore, StoredObject, TooLargeError

ADDED = Counter("productimage_ledger_added", "Records appended to the history.")
WRITES = Counter("productimage_ledger_writes", "Writes that appended records, by outcome.", ["outcome"])

SEGMENT = 100
"""Records per segment."""
MAX_RETRY_SECONDS = 20
_IN_TURN = wait_random(0, 0.02)
_BACK_OFF = wait_random_exponential(multiplier=0.02, max=1)
MAX_WAIT_SECONDS = 300
"""A caller without a deadline waits no longer for those before it."""
READERS = 8
"""Segments that are read at a time when the whole log is checked."""
RESTORE = "restore the file from a backup"
HEAD_REMEDY = f"{RESTORE}, or remove it to go on without the newest records"
SEGMENT_REMEDY = f"{RESTORE}, or put [] in its place to go on without its records"


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


@dataclass(eq=False)
class _Append:
    """An append that waits for its commit.

    Attributes:
        record: The record.
        since: Number of segments in which it is not: those there were when its request first arrived, or at the last
            attempt.
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
        self._attempts = attempts
        self._waiting: deque[_Append] = deque()
        self._commit = threading.Lock()
        self._segments_seen: int | None = None
        self._whole: dict[str, str] = {}
        """Segments that were read and are not damaged: version by key."""
        self._retrying = Retrying(
            retry=retry_if_exception_type((ConflictError, UnavailableError)),
            stop=stop_after_attempt(attempts) | stop_after_delay(MAX_RETRY_SECONDS),
            wait=_pause,
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
            DamagedStoreError: The log cannot be read; nothing was appended.
        """
        append = _Append(record, since, Future())
        self._waiting.append(append)
        # Whoever gets the lock first commits everything that is waiting; the others find theirs done.
        if not self._commit.acquire(timeout=min(seconds_left(), MAX_WAIT_SECONDS)):
            return self._give_up(append)
        try:
            if not append.committed.done():
                self._commit_together([self._waiting.popleft() for _ in range(len(self._waiting))])
        finally:
            self._commit.release()
        return append.committed.result(timeout=0)

    def _give_up(self, append: _Append) -> Record:
        """Withdraw an append whose deadline has passed while the store did not respond to an earlier one."""
        with suppress(ValueError):  # it is being committed just now
            self._waiting.remove(append)
        if append.committed.done():
            return append.committed.result()
        raise UnavailableError("The object store did not respond in time. Try again.")

    def _commit_together(self, appends: Sequence[_Append]) -> None:
        """Commit appends, and resolve every one of them, whatever happens."""
        try:
            committed = self._retrying(self._try_commit, appends)
        except RetryError as failure:
            self._fail(appends, failure.last_attempt.exception())
        except BaseException as error:  # noqa: BLE001  # each waiter raises it
            self._fail(appends, error)
        else:
            for append, record in zip(appends, committed, strict=True):
                append.committed.set_result(record)

    def _fail(self, appends: Sequence[_Append], error: BaseException | None) -> None:
        """Fail the appends, except those whose record is present: the last attempt may have been written after all."""
        if not isinstance(error, ConflictError):
            for append in appends:
                append.committed.set_exception(error or AssertionError())
            return
        for append in appends:
            try:
                present = self.find(append.record["request_id"], append.since)
            except BaseException as failure:  # noqa: BLE001  # its waiter raises it
                append.committed.set_exception(failure)
                continue
            if present is None:
                append.committed.set_exception(ContentionError("The history is busy. Try again in a moment."))
            else:
                append.committed.set_result(present)

    def _try_commit(self, appends: Sequence[_Append]) -> list[Record]:
        """Append what is not present yet, in one write.

        A write whose response was lost shows up in the next attempt: its records are present although it failed.
        """
        if seconds_left() == 0:  # the sweep may soon remove the pictures of these records
            raise UnavailableError("The object store did not respond in time. Try again.")
        head = self.read_head()
        present, lines = self._present_lines(appends, head), dict[bytes, bytes]()
        for append in appends:
            if append.key not in present and append.key not in lines:
                lines[append.key] = to_line(append.record, head.next_sequence + len(lines))
        if lines:
            self._write_counted(head, list(lines.values()))
        return [to_record((present | lines)[append.key]) for append in appends]

    def _present_lines(self, appends: Sequence[_Append], head: Head) -> dict[bytes, bytes]:
        """Return the lines of appends that are present, by key; each file is read once, and never again for them.

        If an attempt took the longer the more others have written, whoever has lost a few times would never win again.
        """
        found: dict[bytes, bytes] = {}
        for lines in self._files(head, min(append.since for append in appends)):
            for append in appends:
                line = _last_with(append.key, lines)
                if line is not None:
                    found.setdefault(append.key, line)
        for append in appends:
            append.since = head.segments
        return found

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
            self._write_segment(segments, kept[:SEGMENT], head)
            kept, segments = kept[SEGMENT:], segments + 1
        self._write_head(head, [*kept, *added])

    def _write_head(self, head: Head, lines: list[bytes]) -> None:
        if head.etag is None:
            self._store.create(paths.RECORDS, join(lines), paths.JSON)
        else:
            self._store.replace(paths.RECORDS, join(lines), paths.JSON, head.etag)

    def _write_segment(self, number: int, lines: list[bytes], head: Head) -> None:
        """Write a segment. Other writers of the same head write the same one; one that is there may be of a crash.

        A writer with an older head must not bring back a record that was deleted since: it notices that the head has
        changed, or that the segment has.
        """
        key, data = paths.segment(number), join(lines)
        try:
            self._store.create(key, data, paths.JSON)
        except ConflictError:
            present = self._present(key)
            if present.data == data:
                return
            if self.read_head().etag != head.etag:
                raise
            self._store.replace(key, data, paths.JSON, present.etag)

    def _present(self, key: str) -> StoredObject:
        try:
            return self._store.get(key)
        except ObjectNotFoundError:  # S3 also reports a conflict if another write is about to be made
            raise ConflictError(key) from None

    def delete(self, sequence: int, deleted: str) -> None:
        """Put a tombstone in place of a record; numbers stay. If there is no such record, nothing changes.

        Args:
            sequence: Its number.
            deleted: Date of the deletion.

        Raises:
            ContentionError: Too many writers competed; nothing was changed.
        """
        retrying = self._retrying.copy(retry=retry_if_exception_type(ConflictError))
        try:
            retrying(self._try_delete, sequence, tombstone(sequence, deleted))
        except RetryError:
            raise ContentionError("The history is busy. Try again in a moment.") from None

    def _try_delete(self, sequence: int, line: bytes) -> None:
        head = self.read_head()
        if sequence < head.segments * SEGMENT:
            self._delete_in_segment(sequence // SEGMENT, sequence, line)
            return
        lines = _with(head.lines, sequence, line)
        if lines is not None:
            self._write_head(head, lines)
        # What a crash left of a segment that the head does not count yet goes as well; another writer of it has won.
        with suppress(ConflictError, ObjectNotFoundError, DamagedStoreError):
            self._delete_in_segment(head.segments, sequence, line)

    def _delete_in_segment(self, number: int, sequence: int, line: bytes) -> None:
        key = paths.segment(number)
        lines, etag = self._read(key, SEGMENT_REMEDY)
        changed = _with(lines, sequence, line)
        if changed is not None:
            self._store.replace(key, join(changed), paths.JSON, etag)

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

    def sequences_of_upload(self, timestamp: str, since: int = 0) -> list[int]:
        """Return the numbers of the records made from an upload; for the arguments see `has_upload`."""
        key = field_prefix("product_image_filename", f"{timestamp}/")
        return [sequence_of(line) for lines in self._files(self.read_head(), since) for line in lines if key in line]

    def _find_line(self, key: bytes, head: Head, since: int) -> bytes | None:
        for lines in self._files(head, since):
            found = _last_with(key, lines)
            if found is not None:
                return found
        return None

    def _files(self, head: Head, since: int) -> Iterator[list[bytes]]:
        yield head.lines
        yield from (self.segment(number) for number in range(since, head.segments))

    def lines(self, head: Head, start: int, end: int) -> list[bytes]:
        """Return the lines numbered from start, inclusive, to end, exclusive."""
        first, last = start // SEGMENT, -(-end // SEGMENT)
        older = [self.segment(number) for number in range(first, min(last, head.segments))]
        lines = [line for segment in older for line in segment]
        if last > head.segments:
            lines += head.lines
        return [line for line in lines if start <= sequence_of(line) < end]

    def segment(self, number: int) -> list[bytes]:
        """Return the lines of a segment: SEGMENT of them, or none if an operator gave its records up.

        Raises:
            DamagedStoreError: It is missing, incomplete, or holds something else.
        """
        key = paths.segment(number)
        try:
            lines, _ = self._read(key, SEGMENT_REMEDY)
        except ObjectNotFoundError:
            raise DamagedStoreError(file=key, problem="is missing", remedy=SEGMENT_REMEDY) from None
        if lines and (sequence_of(lines[0]), len(lines)) != (number * SEGMENT, SEGMENT):
            raise DamagedStoreError(file=key, problem="lacks records or holds others", remedy=SEGMENT_REMEDY)
        return lines

    def read_head(self) -> Head:
        """Read the newest records.

        Raises:
            DamagedStoreError: They cannot be read.
        """
        lines: list[bytes] = []
        etag: str | None = None
        with suppress(ObjectNotFoundError):
            lines, etag = self._read(paths.RECORDS, HEAD_REMEDY)
        if lines and sequence_of(lines[0]) % SEGMENT:
            raise DamagedStoreError(
                file=paths.RECORDS, problem="does not begin where a segment ends", remedy=HEAD_REMEDY
            )
        segments = sequence_of(lines[0]) // SEGMENT if lines else sum(1 for _ in self._store.list(paths.SEGMENTS))
        self._segments_seen = max(segments, self._segments_seen or 0)
        return Head(lines, etag, segments)

    def _read(self, key: str, remedy: str) -> tuple[list[bytes], str]:
        try:
            found = self._store.get(key)
            return split(found.data), found.etag
        except TooLargeError:
            raise DamagedStoreError(file=key, problem="is far too large", remedy=remedy) from None
        except ValueError as error:
            raise DamagedStoreError(file=key, problem=f"cannot be read ({error})", remedy=remedy) from None

    def check(self) -> tuple[Head, str]:
        """Check that every record can be read; segments that have not changed since the last time are not read again.

        Returns:
            The head, and an entity tag of the whole log, which is empty if there is none.

        Raises:
            DamagedStoreError: A file is missing or damaged.
        """
        head = self.read_head()
        versions = {found.key: found.version for found in self._store.list(paths.SEGMENTS)}
        keys = {number: paths.segment(number) for number in range(head.segments)}
        changed = [number for number, key in keys.items() if self._whole.get(key, "") != versions.get(key)]
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(self.segment, changed))
        self._whole = {key: versions.get(key, "") for key in keys.values()}
        if head.etag is None and not keys:
            return head, ""
        versions_of_all = "\n".join([head.etag or "", *self._whole.values()])
        return head, hashlib.sha256(versions_of_all.encode()).hexdigest()


def _pause(state: RetryCallState) -> float:
    """Return how long to wait before the next attempt, in seconds.

    Whoever has lost to another writer tries again at once: that one has made progress, and longer and longer pauses
    would let it win again and again. A store that does not answer is left alone for a while.
    """
    error = state.outcome.exception() if state.outcome else None
    return (_IN_TURN if isinstance(error, ConflictError) else _BACK_OFF)(state)


def _last_with(key: bytes, lines: list[bytes]) -> bytes | None:
    return next((line for line in reversed(lines) if key in line), None)


def _with(lines: list[bytes], sequence: int, line: bytes) -> list[bytes] | None:
    """Return lines with one of them replaced; None if it is not there, or a tombstone already."""
    for place, present in enumerate(lines):
        if sequence_of(present) == sequence and not is_tombstone(present):
            return [*lines[:place], line, *lines[place + 1 :]]
    return None
