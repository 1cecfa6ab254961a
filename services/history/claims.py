"""Requests that their callers may send again: the first result is given again, and nothing is made twice.

Asked for by whoever has a key for its requests (the gateway's Idempotency-Key); see the draft "The Idempotency-Key HTTP
Header Field" of the IETF's httpapi working group.
"""

import json
import time
from dataclasses import asdict, dataclass

import structlog

from services.history import keys
from services.history.ledger import Ledger
from services.history.lines import Record
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore, StoredObject
from services.history.uploads import Upload, Uploads
from services.runtime.errors import ContentionError, InvalidInputError, PreconditionError

log = structlog.get_logger()


@dataclass(frozen=True)
class _Claim:
    """That a request was begun.

    Attributes:
        fingerprint: Of all that the request asks for.
        since: How many segments the ledger had before: the request's record is in none of them.
        until: When its work counts as given up, in seconds of the epoch.
    """

    fingerprint: str
    since: int
    until: float

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class Claims:
    """The requests that were begun.

    Args:
        store: Where they are kept.
        ledger: Of the same store.
        uploads: Of the same store.
        lease_seconds: How long a request may be worked on; then its worker counts as dead.
    """

    def __init__(self, store: ObjectStore, ledger: Ledger, uploads: Uploads, lease_seconds: float) -> None:
        self._store = store
        self._ledger = ledger
        self._uploads = uploads
        self._lease = lease_seconds

    def begin(self, request_id: str, fingerprint: str) -> Record | Upload | None:
        """Give what a request has made, or None when it is to be worked on now.

        Raises:
            InvalidInputError: The request_id or the fingerprint is malformed.
            PreconditionError: The request_id was used for something else.
            ContentionError: The request is being worked on.
        """
        key = keys.claim_key(keys.checked_request_id(request_id))
        if not fingerprint:
            raise InvalidInputError("The fingerprint must be given.", "MISSING_FINGERPRINT")
        claim = _Claim(fingerprint, self._ledger.segments_at_least(), time.time() + self._lease)
        try:
            self._store.create(key, claim.dump(), keys.JSON)
        except ConflictError:
            return self._begin_again(request_id, key, claim)
        return None

    def _begin_again(self, request_id: str, key: str, claim: _Claim) -> Record | Upload | None:
        found = self._find(key)
        if found is None:
            raise _in_progress()
        earlier = _Claim(**json.loads(found.data))
        if earlier.fingerprint != claim.fingerprint:
            raise PreconditionError(
                "This key was used for another request: send a new key with what has changed.", "REQUEST_ID_REUSED"
            )
        made = self._ledger.find(request_id, earlier.since) or self._uploads.of_request(request_id)
        if made is not None:
            return made
        if earlier.until > time.time():
            raise _in_progress()
        renewed = _Claim(claim.fingerprint, earlier.since, claim.until)
        try:
            self._store.replace(key, renewed.dump(), keys.JSON, found.etag)
        except ConflictError:
            raise _in_progress() from None
        return None

    def abandon(self, request_id: str) -> None:
        """Note that a request has failed: it may be begun again at once."""
        key = keys.claim_key(keys.checked_request_id(request_id))
        found = self._find(key)
        if found is not None:
            claim = _Claim(**json.loads(found.data))
            self._store.put(key, _Claim(claim.fingerprint, claim.since, 0).dump(), keys.JSON)

    def sweep(self, kept_seconds: float) -> None:
        """Forget the requests that are older: sent again, they count as new."""
        old = [listed.key for listed in self._store.list(keys.CLAIMS) if listed.age_seconds > kept_seconds]
        self._store.delete(old)
        if old:
            log.info("forgot old requests", count=len(old))

    def _find(self, key: str) -> StoredObject | None:
        try:
            return self._store.get(key)
        except ObjectNotFoundError:
            return None


def _in_progress() -> ContentionError:
    return ContentionError(
        "A request with this key is being worked on: wait for its answer, then send it again.", "IN_PROGRESS"
    )
