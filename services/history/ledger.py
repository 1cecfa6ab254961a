"""The list of records: one JSON file, appended by compare-and-swap, so that no writer loses another's entry."""

import json
import threading
from dataclasses import dataclass
from typing import Any

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from services.history import keys
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore
from services.runtime.errors import ContentionError, InvalidInputError

JSON = "application/json"
LONGEST_PAGE = 1000
DEFAULT_PAGE = 100

Record = dict[str, Any]
"""As it lies in the file: fields that this version does not know are kept."""


@dataclass(frozen=True)
class Page:
    """Part of the list.

    Attributes:
        records: Oldest first.
        next_token: For the next page; empty on the last.
    """

    records: list[Record]
    next_token: str


class Ledger:
    """The records in a store.

    Args:
        store: Where the file is kept.
        attempts: How often an append is tried when others write too.
    """

    def __init__(self, store: ObjectStore, attempts: int) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._retrying = Retrying(
            retry=retry_if_exception_type(ConflictError),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.02, max=1),
        )

    def find(self, request_id: str) -> Record | None:
        """Give the record that a request made."""
        return _of_request(self._read()[0], request_id)

    def has_upload(self, timestamp: str) -> bool:
        """Tell whether any record was made from an upload."""
        prefix = f"{timestamp}/"
        return any(str(record.get("product_image_filename", "")).startswith(prefix) for record in self._read()[0])

    def append(self, record: Record) -> Record:
        """Add a record, once per request_id: the same again gives the one that is there.

        Raises:
            ContentionError: Too many others were writing; nothing was added.
        """
        try:
            # Writers of this process queue up here, so that only other processes are raced with.
            with self._lock:
                return self._retrying(self._try_append, record)
        except RetryError:
            # The last try may have been written, too, with only its answer lost.
            present = self.find(record["request_id"])
            if present is not None:
                return present
            raise ContentionError("Too many results are being saved at this moment: try again.") from None

    def _try_append(self, record: Record) -> Record:
        records, etag = self._read()
        # A write whose answer got lost shows here, too: its record is there although it seemed to fail.
        present = _of_request(records, record["request_id"])
        if present is not None:
            return present
        data = json.dumps([*records, record], ensure_ascii=False, indent=1).encode()
        if etag is None:
            self._store.create(keys.RECORDS, data, JSON)
        else:
            self._store.replace(keys.RECORDS, data, JSON, etag)
        return record

    def page(self, size: int, token: str) -> Page:
        """Give a part of the list.

        Args:
            size: At most so many records, 1 to 1000; 0: 100.
            token: Empty for the first page, then the one of the page before.

        Raises:
            InvalidInputError: The size or the token is out of range.
        """
        if size > LONGEST_PAGE:
            raise InvalidInputError(f"A page has at most {LONGEST_PAGE} records.", "PAGE_SIZE")
        if token and not (token.isascii() and token.isdigit() and len(token) < 16):
            raise InvalidInputError("The page token is not one that this call gave.", "PAGE_TOKEN")
        records, _ = self._read()
        start = int(token or 0)
        end = start + (size or DEFAULT_PAGE)
        return Page(records[start:end], str(end) if end < len(records) else "")

    def _read(self) -> tuple[list[Record], str | None]:
        """Give all records, and the etag of the file or None when there is none yet."""
        try:
            found = self._store.get(keys.RECORDS)
        except ObjectNotFoundError:
            return [], None
        records = json.loads(found.data.decode("utf-8-sig") or "[]")
        if not isinstance(records, list):
            raise TypeError(f"{keys.RECORDS} is not a JSON list")
        return records, found.etag


def _of_request(records: list[Record], request_id: str) -> Record | None:
    return next((record for record in reversed(records) if record.get("request_id") == request_id), None)
