"""Idempotency: a request that its caller repeats returns the original result, and nothing is done twice.

Used for callers that name their requests, with the gateway's Idempotency-Key; see the draft "The Idempotency-Key HTTP
Header Field" of the IETF httpapi working group.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from common.errors import ContentionError, InvalidInputError, PreconditionError
from services.history import paths
from services.history.records.codec import Record
from services.history.records.log import RecordLog
from services.history.small_files import Found, SmallFiles
from services.history.storage.base import ConflictError, ObjectStore
from services.history.uploads import Upload, Uploads

log = structlog.get_logger()

RENEWALS = 3
"""Renewals within a lease, so that one or two may fail."""


@dataclass(frozen=True)
class IdempotencyRecord:
    """A claimed request.

    Attributes:
        fingerprint: Digest of the whole request.
        since: Number of segments of the log before the request arrived: its record is in none of them.
        until: End of the lease, in seconds since the epoch, for versions before 0.2.0; 0: the request was released. The
            lease ends by the clock of the store, counted from when the record was written.
        lease_seconds: Length of the lease; 0: as for callers that do not renew it.
    """

    fingerprint: str
    since: int
    until: float
    lease_seconds: float = 0


CLAIMS = SmallFiles(IdempotencyRecord, "remove the file: its request then counts as new")


class IdempotencyRecords:
    """The claimed requests.

    Args:
        store: Object store.
        log: Record log of the same store.
        uploads: Uploads of the same store.
        lease_seconds: Time a request may be worked on; after that its worker counts as dead.
        renewed_lease_seconds: The same for workers that renew their leases.
    """

    def __init__(
        self,
        store: ObjectStore,
        log: RecordLog,
        uploads: Uploads,
        lease_seconds: float,
        renewed_lease_seconds: float,
    ) -> None:
        self._store = store
        self._log = log
        self._uploads = uploads
        self._lease = lease_seconds
        self._renewed_lease = renewed_lease_seconds

    @property
    def renew_seconds(self) -> float:
        """Time between two renewals, in seconds."""
        return self._renewed_lease / RENEWALS

    def begin(self, request_id: str, fingerprint: str, *, renewed: bool = False) -> Record | Upload | None:
        """Claim a request.

        Args:
            request_id: Idempotency key.
            fingerprint: Digest of the whole request.
            renewed: Whether the caller renews its claim while it works.

        Returns:
            The original result. None: the caller does the work.

        Raises:
            InvalidInputError: The request_id or the fingerprint is malformed.
            PreconditionError: The request_id was used for another request.
            ContentionError: The request is being worked on.
            DamagedStoreError: What is stored about it cannot be read.
        """
        key = paths.claim_key(paths.checked_request_id(request_id))
        if not fingerprint:
            raise InvalidInputError("The fingerprint is missing.", "MISSING_FINGERPRINT")
        lease = self._renewed_lease if renewed else self._lease
        claimed = IdempotencyRecord(fingerprint, self._log.segments_at_least(), time.time() + lease, lease)
        try:
            self._store.create(key, CLAIMS.dump(claimed), paths.JSON)
        except ConflictError:
            return self._begin_again(request_id, key, claimed)
        return None

    def _begin_again(self, request_id: str, key: str, claimed: IdempotencyRecord) -> Record | Upload | None:
        found = self._find(key)
        if found is None:
            raise _in_progress()
        earlier = found.value
        if earlier.fingerprint != claimed.fingerprint:
            raise PreconditionError("This request_id was used for another request.", "REQUEST_ID_REUSED")
        result = self._log.find(request_id, earlier.since) or self._uploads.of_request(request_id)
        if result is not None:
            return result
        if earlier.until and found.age_seconds < (earlier.lease_seconds or self._lease):
            raise _in_progress()
        try:
            self._store.replace(key, CLAIMS.dump(replace(claimed, since=earlier.since)), paths.JSON, found.etag)
        except ConflictError:
            raise _in_progress() from None
        return None

    def renew(self, request_id: str) -> None:
        """Let the lease of a claimed request begin anew, unless it was released or another caller has it."""
        key = paths.claim_key(paths.checked_request_id(request_id))
        found = self._find(key)
        if found is None or not found.value.until:
            return
        renewed = replace(found.value, until=time.time() + found.value.lease_seconds)
        with suppress(ConflictError):
            self._store.replace(key, CLAIMS.dump(renewed), paths.JSON, found.etag)

    def abandon(self, request_id: str) -> None:
        """Release a claimed request at once."""
        key = paths.claim_key(paths.checked_request_id(request_id))
        found = self._find(key)
        if found is not None:
            self._store.put(key, CLAIMS.dump(replace(found.value, until=0)), paths.JSON)

    def sweep(self, kept_seconds: float) -> None:
        """Forget older requests, with what their uploads and saves noted; repeated later, they count as new."""
        notes = (listed for prefix in paths.NOTES for listed in self._store.list(prefix))
        old = [listed.key for listed in notes if listed.age_seconds > kept_seconds]
        self._store.delete(old)
        if old:
            log.info("forgot old requests", files=len(old))

    def _find(self, key: str) -> Found[IdempotencyRecord] | None:
        return CLAIMS.find(self._store, key)


def _in_progress() -> ContentionError:
    return ContentionError("This request is in progress.", "IN_PROGRESS")
