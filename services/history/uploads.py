"""Upload lifecycle: created, cut out, referenced by a record or swept as stale."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from common.errors import (
    ContentionError,
    DamagedStoreError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    ServiceError,
)
from services.history import paths
from services.history.leases import Lease, Leases
from services.history.records.log import RecordLog
from services.history.small_files import Found, SmallFiles
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore

logger = structlog.get_logger()

PNG = "image/png"
ATTEMPTS = 20
KEPT_CUTOUTS = 20
"""Earlier cutouts of an upload that can be returned to."""


@dataclass(frozen=True)
class StoredCutout:
    """What is stored about a cutout; the file's name follows from its digest.

    Attributes:
        engine: Engine that made it; empty: there was none.
        stage: How it was made, for the manifests of records.
        product_aspect_ratio: Width over height of the product; 0 if unknown.
        sha256: SHA-256 of the file; empty before 0.2.0.
    """

    engine: str = ""
    stage: dict[str, Any] = field(default_factory=dict)
    product_aspect_ratio: float = 0.0
    sha256: str = ""


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
        cutout_sha256: SHA-256 of the cutout, which is part of its name; empty before 0.2.0.
        earlier: Cutouts before the present one, the last one last.
        later: Cutouts that were undone, the next one last.
    """

    timestamp: str
    name: str
    request_id: str
    photo_sha256: str
    cutout_engine: str = ""
    cutout_stage: dict[str, Any] = field(default_factory=dict)
    product_aspect_ratio: float = 0.0
    since: int = 0
    cutout_sha256: str = ""
    earlier: tuple[StoredCutout, ...] = ()
    later: tuple[StoredCutout, ...] = ()

    @property
    def cutout(self) -> StoredCutout:
        """The present cutout."""
        return StoredCutout(self.cutout_engine, self.cutout_stage, self.product_aspect_ratio, self.cutout_sha256)

    def with_cutout(
        self, cutout: StoredCutout, earlier: tuple[StoredCutout, ...], later: tuple[StoredCutout, ...] = ()
    ) -> "Upload":
        """Return the upload with another cutout, between others."""
        return replace(
            self,
            cutout_engine=cutout.engine,
            cutout_stage=cutout.stage,
            product_aspect_ratio=cutout.product_aspect_ratio,
            cutout_sha256=cutout.sha256,
            earlier=earlier[-KEPT_CUTOUTS:],
            later=later,
        )

    def reverted(self, *, to_later: bool) -> "Upload":
        """Return the upload with the cutout before the present one, or after it.

        Raises:
            PreconditionError: There is none.
        """
        if not (self.later if to_later else self.earlier):
            raise PreconditionError("There is no cutout to return to.", "NO_SUCH_CUTOUT")
        if to_later:
            return self.with_cutout(self.later[-1], (*self.earlier, self.cutout), self.later[:-1])
        return self.with_cutout(self.earlier[-1], self.earlier[:-1], (*self.later, self.cutout))

    def _named(self, cutout: StoredCutout) -> str:
        return paths.cutout_path(self.timestamp, self.name, cutout.sha256)

    @property
    def cutout_paths(self) -> set[str]:
        """Paths of all cutouts that can be returned to, and of the present one."""
        return {self._named(one) for one in (*self.earlier, self.cutout, *self.later)}

    @property
    def photo_path(self) -> str:
        """Path of the photo, relative to static/."""
        return paths.photo_path(self.timestamp, self.name)

    @property
    def cutout_path(self) -> str:
        """Path of the cutout, relative to static/."""
        return self._named(self.cutout)


UPLOADS = SmallFiles(Upload, "restore the file from a backup, or remove it: its photo then has to be uploaded again")
REQUESTS = SmallFiles(Upload, "remove the file: its request then counts as new")


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
            self._store.put(paths.upload_key(upload.timestamp), UPLOADS.dump(upload), paths.JSON)
        return upload

    def _claim(self, upload: Upload) -> Upload:
        """Return the upload of this request: the given one, or the one it created earlier."""
        key = paths.request_key(upload.request_id)
        try:
            self._store.create(key, REQUESTS.dump(upload), paths.JSON)
        except ConflictError:
            found = REQUESTS.find(self._store, key)
            if found is None:
                raise ContentionError("This upload has just been removed.", "BEING_CLEARED") from None
            earlier = found.value
            if earlier.photo_sha256 != upload.photo_sha256:
                self._pending.release(upload.timestamp)
                raise PreconditionError("This request_id was used for another photo.", "REQUEST_ID_REUSED") from None
            return earlier
        return upload

    def put_cutout(self, timestamp: str, cutout: Cutout) -> Upload:
        """Store the cutout of an upload; the one before it can be returned to.

        Raises:
            InvalidInputError: The timestamp is malformed, or the cutout or its engine is missing.
            NotFoundError: The upload does not exist.
        """
        if not cutout.file or not cutout.engine:
            raise InvalidInputError("The cutout or the engine that made it is missing.", "MISSING_CUTOUT")
        digest = hashlib.sha256(cutout.file).hexdigest()
        stored = StoredCutout(cutout.engine, cutout.stage, cutout.product_aspect_ratio, digest)

        def changed(upload: Upload) -> Upload:
            is_new = upload.cutout_engine and upload.cutout_sha256 != digest
            earlier = (*upload.earlier, upload.cutout) if is_new else upload.earlier
            finished = upload.with_cutout(stored, earlier)
            # The picture first, under a name of its own: a reader of the upload finds the cutout that belongs to it.
            self._store.put(paths.static_key(finished.cutout_path), cutout.file, PNG)
            return finished

        previous, present = self._change(timestamp, changed)
        self._remove_dropped(previous, present)
        return present

    def revert_cutout(self, timestamp: str, cutout_path: str, *, to_later: bool) -> Upload:
        """Return to an earlier cutout of an upload, or again to a later one, unless that was done already.

        Args:
            timestamp: Timestamp of the upload.
            cutout_path: Path of the present cutout, as the caller knows it: if it is another one, nothing changes.
            to_later: Return to the next later one.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            PreconditionError: There is none in that direction.
        """

        def changed(upload: Upload) -> Upload:
            return upload.reverted(to_later=to_later) if upload.cutout_path == cutout_path else upload

        return self._change(timestamp, changed)[1]

    def _change(self, timestamp: str, changed: Callable[[Upload], Upload]) -> tuple[Upload, Upload]:
        """Replace what is stored about an upload; return what it was and what it is."""
        for _ in range(ATTEMPTS):
            present = self._get(timestamp)
            finished = changed(present.value)
            if finished == present.value:
                return finished, finished
            try:
                self._store.replace(paths.upload_key(timestamp), UPLOADS.dump(finished), paths.JSON, present.etag)
            except ConflictError:
                continue
            return present.value, finished
        raise ContentionError("Others keep changing this upload.")

    def _remove_dropped(self, previous: Upload, present: Upload) -> None:
        """Remove the cutouts that cannot be returned to any more, but for the previous one: someone may be reading it.

        Others lie there, too: those that are being put at this moment, and belong to no upload yet.
        """
        dropped = {*previous.cutout_paths} - {previous.cutout_path, *present.cutout_paths}
        self._store.delete([paths.static_key(path) for path in sorted(dropped)])

    def get(self, timestamp: str) -> Upload:
        """Return an upload, and restart its grace period.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            ContentionError: It is being removed.
            DamagedStoreError: What is stored about it cannot be read.
        """
        return self._get(timestamp).value

    def _get(self, timestamp: str) -> Found[Upload]:
        found = self._find_stored(paths.checked_timestamp(timestamp))
        if found is None:
            raise _unknown()
        self._pending.renew(timestamp)
        return found

    def of_request(self, request_id: str) -> Upload | None:
        """Return the finished upload of a request, if any."""
        claimed = REQUESTS.find(self._store, paths.request_key(request_id))
        upload = None if claimed is None else self._find(claimed.value.timestamp)
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

    def delete(self, timestamp: str, delete_records: Callable[[Iterable[int]], None]) -> None:
        """Remove an upload with everything that was made from it.

        Args:
            timestamp: Timestamp of the upload.
            delete_records: Removes records by their numbers, with their creatives.

        Raises:
            InvalidInputError: The timestamp is malformed.
            NotFoundError: The upload does not exist.
            ContentionError: A generation is being made from it; nothing was removed.
        """
        found = self._find(paths.checked_timestamp(timestamp))
        if found is None:
            raise _unknown()
        # As for the sweep: no save begins after this, and one that began before has a lease.
        lease = self._pending.mark_removed(timestamp)
        if len(self._saving.names(f"{timestamp}/")) > len(self._saving.names(f"{timestamp}/", self._stale_after)):
            if lease is None:
                self._pending.release(timestamp)
            else:
                self._pending.restore(timestamp, lease)
            raise ContentionError("A generation of this upload is being saved.", "BEING_SAVED")
        delete_records(self._log.sequences_of_upload(timestamp, found.since))
        self._remove(timestamp, found.request_id)

    def sweep(self) -> int:
        """Remove stale uploads, and creatives that were never recorded; return the number of uploads removed.

        What is damaged is left alone.
        """
        for name in self._saving.names(older_than=self._stale_after):
            with _damage_logged():
                self._remove_unrecorded(name)
        removed = 0
        for timestamp in self._pending.names(older_than=self._stale_after):
            with _damage_logged():
                removed += self._remove_if_stale(timestamp, self._stale_after)
        if removed:
            logger.info("swept stale uploads", count=removed)
        return removed

    def _remove_if_stale(self, timestamp: str, older_than: float) -> bool:
        """Remove an upload unless it has results, or one is being saved; return whether it was removed."""
        upload = self._find(timestamp)
        lease = self._pending.mark_stale(timestamp, older_than)
        if lease is None:
            return False
        with self._restored_on_error(self._pending, timestamp, lease):
            has_results = self._log.has_upload(timestamp, upload.since if upload else 0)
            is_saved = not has_results and bool(self._saving.names(f"{timestamp}/"))
        if has_results:
            self._pending.release(timestamp)
            return False
        if is_saved:
            self._pending.restore(timestamp, lease)
            return False
        self._remove(timestamp, lease.request_id)
        return True

    @staticmethod
    @contextmanager
    def _restored_on_error(leases: Leases, name: str, lease: Lease) -> Iterator[None]:
        """Restore a lease that was marked stale if the block fails: the work may be wanted yet."""
        try:
            yield
        except ServiceError:
            leases.restore(name, lease)
            raise

    def _remove(self, timestamp: str, request_id: str) -> None:
        """Remove an upload: first what makes it exist, last what lets a sweep find the rest of it."""
        claims = [paths.request_key(request_id)] if self._claimed_by(request_id) == timestamp else []
        prefixes = (f"static/{timestamp}/", paths.saves(timestamp))
        rest = [listed.key for prefix in prefixes for listed in self._store.list(prefix)]
        self._store.delete([paths.upload_key(timestamp), *claims, *rest])
        self._pending.release(timestamp)

    def _claimed_by(self, request_id: str) -> str | None:
        found = REQUESTS.find(self._store, paths.request_key(request_id))
        return None if found is None else found.value.timestamp

    def _remove_unrecorded(self, name: str) -> None:
        """Remove the creatives of a generation whose save has died, unless its record was appended."""
        lease = self._saving.mark_stale(name, self._stale_after)
        if lease is None:
            return
        timestamp = name.partition("/")[0]
        with self._restored_on_error(self._saving, name, lease):
            upload = self._find(timestamp)
            recorded = self._log.find(lease.request_id, upload.since if upload else 0) is not None
        if not recorded:
            creatives = self._store.list(paths.static_key(paths.creatives(timestamp, lease.request_id)))
            self._store.delete([*(found.key for found in creatives), paths.save_key(timestamp, lease.request_id)])
        self._saving.release(name)

    def _find(self, timestamp: str) -> Upload | None:
        found = self._find_stored(timestamp)
        return None if found is None else found.value

    def _find_stored(self, timestamp: str) -> Found[Upload] | None:
        key = paths.upload_key(timestamp)
        found = UPLOADS.find(self._store, key)
        if found is not None and (found.value.timestamp != timestamp or not paths.is_file_name(found.value.name)):
            raise UPLOADS.damaged(key, "is of another upload")
        return found


@contextmanager
def _damage_logged() -> Iterator[None]:
    try:
        yield
    except DamagedStoreError as error:
        logger.warning("damaged file left alone", file=error.file, problem=error.problem, remedy=error.remedy)


def _unknown() -> NotFoundError:
    return NotFoundError("There is no upload with this timestamp.", "UNKNOWN_UPLOAD")


def _no_cutout() -> PreconditionError:
    return PreconditionError("This upload has no cutout.", "NO_CUTOUT")
