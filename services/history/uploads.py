"""Uploads: their life from the photo to the first result, or to the sweep."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

import structlog

from services.history import keys
from services.history.ledger import Ledger
from services.history.marks import Marks
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore
from services.runtime.errors import ContentionError, InvalidInputError, NotFoundError, PreconditionError

log = structlog.get_logger()

PNG = "image/png"


@dataclass(frozen=True)
class Upload:
    """A stored photo.

    Attributes:
        timestamp: Its name among all uploads.
        name: The photo's file name.
        request_id: The request that made it.
        photo_sha256: Of the photo.
        cutout_engine: What made the cut-out; empty until there is one.
        cutout_stage: How the cut-out was made, for the manifests of the records.
        product_aspect_ratio: The product's width over its height; 0: not known.
        since: How many segments the ledger had before this upload came: its records are in none of them.
    """

    timestamp: str
    name: str
    request_id: str
    photo_sha256: str
    cutout_engine: str = ""
    cutout_stage: dict[str, Any] = field(default_factory=dict)
    product_aspect_ratio: float = 0.0
    since: int = 0

    @property
    def photo_path(self) -> str:
        """Relative to static/."""
        return keys.photo_path(self.timestamp, self.name)

    @property
    def cutout_path(self) -> str:
        """Relative to static/."""
        return keys.cutout_path(self.timestamp, self.name)


class Uploads:
    """The uploads in a store.

    Args:
        store: Where everything is kept.
        ledger: Of the same store; a record is what makes an upload have results.
        stale_after_seconds: An upload without a result that nobody touches for so long is removed.
    """

    def __init__(self, store: ObjectStore, ledger: Ledger, stale_after_seconds: float) -> None:
        self._store = store
        self._ledger = ledger
        self._stale_after = stale_after_seconds
        self._pending = Marks(store, keys.PENDING)
        self._saving = Marks(store, keys.SAVING)

    def create(self, request_id: str, client_name: str, photo: bytes, picture_format: str) -> Upload:
        """Store a photo. The same request_id and photo again give the same upload.

        Raises:
            InvalidInputError: The request_id is malformed.
            PreconditionError: The request_id was used for another photo.
        """
        keys.checked_request_id(request_id)
        wanted = Upload(
            timestamp=keys.new_timestamp(datetime.now().astimezone()),
            name=keys.photo_name(client_name, picture_format),
            request_id=request_id,
            photo_sha256=hashlib.sha256(photo).hexdigest(),
            since=self._ledger.segments_at_least(),
        )
        self._pending.place(wanted.timestamp, request_id)  # first: from here on, a sweep finds all that is left behind
        upload = self._claim(wanted)
        if upload is not wanted:
            self._pending.remove(wanted.timestamp)
        if self._find(upload.timestamp) is None:
            self._pending.place(upload.timestamp, request_id)
            key = keys.static_key(upload.photo_path)
            self._store.put(key, photo, keys.content_type(key))
            self._save(upload)
        return upload

    def _claim(self, upload: Upload) -> Upload:
        """Give the upload that this request makes: the given one, or the one it made before."""
        key = keys.request_key(upload.request_id)
        try:
            self._store.create(key, _dump(upload), keys.JSON)
        except ConflictError:
            earlier = self._claimed(key)
            if earlier.photo_sha256 != upload.photo_sha256:
                self._pending.remove(upload.timestamp)
                raise PreconditionError(
                    "This request_id was used for another photo: use a new one.", "REQUEST_ID_REUSED"
                ) from None
            return earlier
        return upload

    def _claimed(self, key: str) -> Upload:
        try:
            return _load(self._store.get(key).data)
        except ObjectNotFoundError:
            raise ContentionError("This upload has just been cleared away: try again.", "BEING_CLEARED") from None

    def put_cutout(
        self, timestamp: str, cutout: bytes, engine: str, stage: dict[str, Any], product_aspect_ratio: float
    ) -> Upload:
        """Store an upload's cut-out.

        Args:
            timestamp: The upload's.
            cutout: A PNG file.
            engine: What made it.
            stage: How it was made, for the manifests of the records.
            product_aspect_ratio: The product's width over its height; 0: not known.

        Raises:
            InvalidInputError: The timestamp is malformed, or the cut-out or its engine is missing.
            NotFoundError: There is no such upload.
        """
        if not cutout or not engine:
            raise InvalidInputError("The cut-out and the engine that made it must be given.", "MISSING_CUTOUT")
        upload = self.get(timestamp)
        self._store.put(keys.static_key(upload.cutout_path), cutout, PNG)
        finished = replace(upload, cutout_engine=engine, cutout_stage=stage, product_aspect_ratio=product_aspect_ratio)
        self._save(finished)
        return finished

    def get(self, timestamp: str) -> Upload:
        """Give an upload; this counts as a touch.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: There is no such upload.
            ContentionError: It is being cleared away.
        """
        upload = self._find(keys.checked_timestamp(timestamp))
        if upload is None:
            raise _unknown()
        self._pending.renew(timestamp)
        return upload

    def of_request(self, request_id: str) -> Upload | None:
        """Give the finished upload that a request made."""
        try:
            claimed = _load(self._store.get(keys.request_key(request_id)).data)
        except ObjectNotFoundError:
            return None
        upload = self._find(claimed.timestamp)
        return upload if upload is not None and upload.cutout_engine else None

    def read_cutout(self, upload: Upload) -> bytes:
        """Give an upload's cut-out, a PNG file.

        Raises:
            PreconditionError: There is none.
        """
        if not upload.cutout_engine:
            raise _no_cutout()
        try:
            return self._store.get(keys.static_key(upload.cutout_path)).data
        except ObjectNotFoundError:
            raise _no_cutout() from None

    @contextmanager
    def saving(self, timestamp: str, request_id: str) -> Iterator[Upload]:
        """Save a generation of an upload inside: until it is done, neither the upload nor the ads are cleared away.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: There is no such upload.
            ContentionError: It is being cleared away.
        """
        name = keys.saving(keys.checked_timestamp(timestamp), request_id)
        # Who clears away condemns, and then looks for such marks; it removes the upload before its own mark. So one of
        # the two of us sees the other, in this order.
        self._saving.place(name, request_id)
        self._pending.renew(timestamp)
        upload = self._find(timestamp)
        if upload is None:
            self._saving.remove(name)
            raise _unknown()
        yield upload
        # Should this fail inside, the mark stays: another try of the same request may be under way, and the sweep
        # comes when none is.
        self._pending.remove(timestamp)
        self._saving.remove(name)

    def discard(self, timestamp: str) -> bool:
        """Remove an upload without results; tell whether there was one to remove.

        Raises:
            InvalidInputError: The timestamp is malformed.
        """
        return self._find(keys.checked_timestamp(timestamp)) is not None and self._clear(timestamp, older_than=0)

    def sweep(self) -> int:
        """Remove what is stale, uploads and ads that were never recorded; tell how many uploads there were."""
        for name in self._saving.names():
            self._clear_unrecorded(name)
        removed = sum(self._clear(timestamp, self._stale_after) for timestamp in self._pending.names())
        if removed:
            log.info("swept stale uploads", count=removed)
        return removed

    def _clear(self, timestamp: str, older_than: float) -> bool:
        """Remove an upload, unless it has results, or one is being saved."""
        mark = self._pending.condemn(timestamp, older_than)
        if mark is None:
            return False
        upload = self._find(timestamp)
        if self._ledger.has_upload(timestamp, upload.since if upload else 0):
            self._pending.remove(timestamp)
            return False
        if self._saving.names(f"{timestamp}/"):
            self._pending.forgive(timestamp, mark)
            return False
        self._remove(timestamp, mark.request_id)
        return True

    def _remove(self, timestamp: str, request_id: str) -> None:
        """Remove an upload: first what makes it exist, last what would let a sweep find the rest of it."""
        claims = [keys.request_key(request_id)] if self._claimed_by(request_id) == timestamp else []
        prefixes = (f"static/{timestamp}/", keys.saves(timestamp))
        rest = [listed.key for prefix in prefixes for listed in self._store.list(prefix)]
        self._store.delete([keys.upload_key(timestamp), *claims, *rest])
        self._pending.remove(timestamp)

    def _claimed_by(self, request_id: str) -> str | None:
        try:
            return _load(self._store.get(keys.request_key(request_id)).data).timestamp
        except (ObjectNotFoundError, ValueError):
            return None

    def _clear_unrecorded(self, name: str) -> None:
        """Remove the ads of a generation whose save has died, unless its record was added."""
        mark = self._saving.condemn(name, self._stale_after)
        if mark is None:
            return
        timestamp = name.partition("/")[0]
        upload = self._find(timestamp)
        if self._ledger.find(mark.request_id, upload.since if upload else 0) is None:
            ads = self._store.list(keys.static_key(keys.creatives(timestamp, mark.request_id)))
            self._store.delete([*(ad.key for ad in ads), keys.save_key(timestamp, mark.request_id)])
        self._saving.remove(name)

    def _find(self, timestamp: str) -> Upload | None:
        try:
            return _load(self._store.get(keys.upload_key(timestamp)).data)
        except ObjectNotFoundError:
            return None
        except ValueError:
            log.exception("unreadable upload", timestamp=timestamp)
            return None

    def _save(self, upload: Upload) -> None:
        self._store.put(keys.upload_key(upload.timestamp), _dump(upload), keys.JSON)


def _unknown() -> NotFoundError:
    return NotFoundError("There is no upload of this timestamp: upload the photo again.", "UNKNOWN_UPLOAD")


def _no_cutout() -> PreconditionError:
    return PreconditionError("This upload has no cut-out: upload the photo again.", "NO_CUTOUT")


def _dump(upload: Upload) -> bytes:
    return json.dumps(asdict(upload), ensure_ascii=False).encode()


def _load(data: bytes) -> Upload:
    """Read an upload; fields of a later version are passed over, those of an earlier one may be missing.

    Raises:
        ValueError: It is damaged.
    """
    found = json.loads(data)
    try:
        return Upload(**{one.name: found[one.name] for one in fields(Upload) if one.name in found})
    except (KeyError, TypeError) as error:
        raise ValueError("not an upload") from error
