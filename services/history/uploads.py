"""Upload lifecycle: created, cut out, referenced by a record or swept as stale."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from typing import Any

import structlog

from common.errors import ContentionError, InvalidInputError, NotFoundError, PreconditionError
from services.history import paths
from services.history.leases import Leases
from services.history.records.log import RecordLog
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore

logger = structlog.get_logger()

PNG = "image/png"


@dataclass(frozen=True)
class Upload:
    """A stored photo.

    Attributes:
        timestamp: Name among all uploads.
        name: File name of the photo.
        request_id: Request that created it.
        photo_sha256: SHA-256 of the photo.
        cutout_engine: Engine that made the cutout; empty until there is one.
        cutout_stage: How the cutout was made, for the manifests of records.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
        since: Number of segments of the log before the upload was created: its records are in none of them.
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
        """Path of the photo, relative to static/."""
        return paths.photo_path(self.timestamp, self.name)

    @property
    def cutout_path(self) -> str:
        """Path of the cutout, relative to static/."""
        return paths.cutout_path(self.timestamp, self.name)


@dataclass(frozen=True)
class Cutout:
    """A cutout to store.

    Attributes:
        file: A PNG file.
        engine: Engine that made it.
        stage: How it was made, for the manifests of records.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
    """

    file: bytes
    engine: str
    stage: dict[str, Any]
    product_aspect_ratio: float = 0.0


class Uploads:
    """The uploads in a store.

    Args:
        store: Object store.
        log: Record log of the same store. An upload has results if a record refers to it.
        stale_after_seconds: Grace period of an upload without a result that nobody uses.
    """

    def __init__(self, store: ObjectStore, log: RecordLog, stale_after_seconds: float) -> None:
        self._store = store
        self._log = log
        self._stale_after = stale_after_seconds
        self._pending = Leases(store, paths.PENDING)
        self._saving = Leases(store, paths.SAVING)

    def create(self, request_id: str, client_name: str, photo: bytes, picture_format: str) -> Upload:
        """Store a photo. Repeating the request_id with the same photo returns the same upload.

        Args:
            request_id: Idempotency key.
            client_name: File name as the client gave it.
            photo: The file.
            picture_format: "PNG", "JPEG" or "WEBP".

        Raises:
            InvalidInputError: The request_id is malformed.
            PreconditionError: The request_id was used for another photo.
        """
        paths.checked_request_id(request_id)
        created = Upload(
            timestamp=paths.new_timestamp(datetime.now().astimezone()),
            name=paths.photo_name(client_name, picture_format),
            request_id=request_id,
            photo_sha256=hashlib.sha256(photo).hexdigest(),
            since=self._log.segments_at_least(),
        )
        self._pending.take(created.timestamp, request_id)  # first: from here on, a sweep finds whatever is left behind
        upload = self._claim(created)
        if upload is not created:
            self._pending.release(created.timestamp)
        if self._find(upload.timestamp) is None:
            self._pending.take(upload.timestamp, request_id)
            key = paths.static_key(upload.photo_path)
            self._store.put(key, photo, paths.content_type(key))
            self._save(upload)
        return upload

    def _claim(self, upload: Upload) -> Upload:
        """Return the upload of this request: the given one, or the one it created earlier."""
        key = paths.request_key(upload.request_id)
        try:
            self._store.create(key, _dump(upload), paths.JSON)
        except ConflictError:
            earlier = self._claimed(key)
            if earlier.photo_sha256 != upload.photo_sha256:
                self._pending.release(upload.timestamp)
                raise PreconditionError("This request_id was used for another photo.", "REQUEST_ID_REUSED") from None
            return earlier
        return upload

    def _claimed(self, key: str) -> Upload:
        try:
            return _load(self._store.get(key).data)
        except ObjectNotFoundError:
            raise ContentionError("This upload has just been removed.", "BEING_CLEARED") from None

    def put_cutout(self, timestamp: str, cutout: Cutout) -> Upload:
        """Store the cutout of an upload, replacing an earlier one.

        Raises:
            InvalidInputError: The timestamp is malformed, or the cutout or its engine is missing.
            NotFoundError: The upload does not exist.
        """
        if not cutout.file or not cutout.engine:
            raise InvalidInputError("The cutout or the engine that made it is missing.", "MISSING_CUTOUT")
        upload = self.get(timestamp)
        self._store.put(paths.static_key(upload.cutout_path), cutout.file, PNG)
        finished = replace(
            upload,
            cutout_engine=cutout.engine,
            cutout_stage=cutout.stage,
            product_aspect_ratio=cutout.product_aspect_ratio,
        )
        self._save(finished)
        return finished

    def get(self, timestamp: str) -> Upload:
        """Return an upload, and restart its grace period.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            ContentionError: It is being removed.
        """
        upload = self._find(paths.checked_timestamp(timestamp))
        if upload is None:
            raise _unknown()
        self._pending.renew(timestamp)
        return upload

    def of_request(self, request_id: str) -> Upload | None:
        """Return the finished upload of a request, if any."""
        try:
            claimed = _load(self._store.get(paths.request_key(request_id)).data)
        except ObjectNotFoundError:
            return None
        upload = self._find(claimed.timestamp)
        return upload if upload is not None and upload.cutout_engine else None

    def read_cutout(self, upload: Upload) -> bytes:
        """Return the cutout of an upload, a PNG file.

        Raises:
            PreconditionError: There is none.
        """
        if not upload.cutout_engine:
            raise _no_cutout()
        try:
            return self._store.get(paths.static_key(upload.cutout_path)).data
        except ObjectNotFoundError:
            raise _no_cutout() from None

    @contextmanager
    def saving(self, timestamp: str, request_id: str) -> Iterator[Upload]:
        """Keep an upload and its creatives from being removed while a generation is saved.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            ContentionError: It is being removed.
        """
        name = paths.saving(paths.checked_timestamp(timestamp), request_id)
        # The sweep marks an upload stale, then looks for leases like this one, and removes the upload before its own
        # lease. In this order, one of the two always sees the other.
        self._saving.take(name, request_id)
        self._pending.renew(timestamp)
        upload = self._find(timestamp)
        if upload is None:
            self._saving.release(name)
            raise _unknown()
        yield upload
        # If the block fails, the lease stays: another attempt of the same request may be under way, and if none is, the
        # sweep follows.
        self._pending.release(timestamp)
        self._saving.release(name)

    def discard(self, timestamp: str) -> bool:
        """Remove an upload without results; return whether there was one.

        Raises:
            InvalidInputError: The timestamp is malformed.
        """
        return self._find(paths.checked_timestamp(timestamp)) is not None and self._remove_if_stale(timestamp, 0)

    def sweep(self) -> int:
        """Remove stale uploads, and creatives that were never recorded; return the number of uploads removed."""
        for name in self._saving.names():
            self._remove_unrecorded(name)
        removed = sum(self._remove_if_stale(timestamp, self._stale_after) for timestamp in self._pending.names())
        if removed:
            logger.info("swept stale uploads", count=removed)
        return removed

    def _remove_if_stale(self, timestamp: str, older_than: float) -> bool:
        """Remove an upload unless it has results, or one is being saved; return whether it was removed."""
        lease = self._pending.mark_stale(timestamp, older_than)
        if lease is None:
            return False
        upload = self._find(timestamp)
        if self._log.has_upload(timestamp, upload.since if upload else 0):
            self._pending.release(timestamp)
            return False
        if self._saving.names(f"{timestamp}/"):
            self._pending.restore(timestamp, lease)
            return False
        self._remove(timestamp, lease.request_id)
        return True

    def _remove(self, timestamp: str, request_id: str) -> None:
        """Remove an upload: first what makes it exist, last what lets a sweep find the rest of it."""
        claims = [paths.request_key(request_id)] if self._claimed_by(request_id) == timestamp else []
        prefixes = (f"static/{timestamp}/", paths.saves(timestamp))
        rest = [listed.key for prefix in prefixes for listed in self._store.list(prefix)]
        self._store.delete([paths.upload_key(timestamp), *claims, *rest])
        self._pending.release(timestamp)

    def _claimed_by(self, request_id: str) -> str | None:
        try:
            return _load(self._store.get(paths.request_key(request_id)).data).timestamp
        except (ObjectNotFoundError, ValueError):
            return None

    def _remove_unrecorded(self, name: str) -> None:
        """Remove the creatives of a generation whose save has died, unless its record was appended."""
        lease = self._saving.mark_stale(name, self._stale_after)
        if lease is None:
            return
        timestamp = name.partition("/")[0]
        upload = self._find(timestamp)
        if self._log.find(lease.request_id, upload.since if upload else 0) is None:
            creatives = self._store.list(paths.static_key(paths.creatives(timestamp, lease.request_id)))
            self._store.delete([*(found.key for found in creatives), paths.save_key(timestamp, lease.request_id)])
        self._saving.release(name)

    def _find(self, timestamp: str) -> Upload | None:
        try:
            return _load(self._store.get(paths.upload_key(timestamp)).data)
        except ObjectNotFoundError:
            return None
        except ValueError:
            logger.exception("unreadable upload", timestamp=timestamp)
            return None

    def _save(self, upload: Upload) -> None:
        self._store.put(paths.upload_key(upload.timestamp), _dump(upload), paths.JSON)


def _unknown() -> NotFoundError:
    return NotFoundError("There is no upload with this timestamp.", "UNKNOWN_UPLOAD")


def _no_cutout() -> PreconditionError:
    return PreconditionError("This upload has no cutout.", "NO_CUTOUT")


def _dump(upload: Upload) -> bytes:
    return json.dumps(asdict(upload), ensure_ascii=False).encode()


def _load(data: bytes) -> Upload:
    """Read an upload; unknown fields of a later version are ignored, missing ones of an earlier version are defaults.

    Raises:
        ValueError: It is damaged.
    """
    found = json.loads(data)
    try:
        return Upload(**{one.name: found[one.name] for one in fields(Upload) if one.name in found})
    except (KeyError, TypeError) as error:
        raise ValueError("not an upload") from error
