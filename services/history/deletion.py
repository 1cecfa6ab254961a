"""Deletion on request: the pictures go, a tombstone without personal data keeps the number of a record."""

from collections.abc import Iterable
from datetime import datetime

from common.errors import NotFoundError
from services.history import paths
from services.history.generations import pictures_of
from services.history.records.codec import Record, listed, to_record
from services.history.records.log import RecordLog
from services.history.storage.base import ObjectStore
from services.history.uploads import Uploads


class Deletion:
    """Deletes records and uploads. Each deletion can be repeated, and goes on where an earlier one broke off.

    Args:
        store: Object store.
        uploads: Uploads of the same store.
        log: Record log of the same store.
    """

    def __init__(self, store: ObjectStore, uploads: Uploads, log: RecordLog) -> None:
        self._store = store
        self._uploads = uploads
        self._log = log

    def delete_record(self, sequence: int) -> None:
        """Delete a record and its creatives. A record that was deleted before is no error.

        Raises:
            NotFoundError: There has never been such a record.
            ContentionError: Too many writers competed; the record is still there.
        """
        head = self._log.read_head()
        if sequence >= head.length:
            raise NotFoundError("There is no record with this number.")
        for line in listed(self._log.lines(head, sequence, sequence + 1)):
            # The tombstone comes last: until it is there, another attempt finds the pictures.
            self._store.delete(_creatives(to_record(line)))
        self._log.delete(sequence, paths.write_date(datetime.now().astimezone()))

    def delete_upload(self, timestamp: str) -> None:
        """Delete an upload with its photo, its cutout, and every record and creative that was made from it.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            ContentionError: A generation is being made from it; nothing was deleted.
        """
        self._uploads.delete(timestamp, self._delete_records)

    def _delete_records(self, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            self.delete_record(sequence)


def _creatives(record: Record) -> list[str]:
    """Return the keys of the creatives and backgrounds of a record; what is not one of ours is left alone."""
    return [f"static/{path}" for path in pictures_of(record) if paths.is_creative(path)]
