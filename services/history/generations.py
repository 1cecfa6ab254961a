"""Generations: pictures first, the record last. The record is the commit point."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.errors import ContentionError, InvalidInputError, PreconditionError
from services.history import paths
from services.history.records.codec import Record
from services.history.records.log import RecordLog
from services.history.small_files import SmallFiles
from services.history.storage.base import ConflictError, ObjectStore
from services.history.uploads import Uploads

MAX_PICTURES = 40
SAVES = SmallFiles(int, "remove the file")


@dataclass(frozen=True)
class Picture:
    """A picture of a generation.

    Attributes:
        name: Name among its siblings.
        file: The file.
        picture_format: "PNG", "JPEG" or "WEBP".
    """

    name: str
    file: bytes
    picture_format: str


@dataclass(frozen=True)
class Generation:
    """A generation to save.

    Attributes:
        request_id: Idempotency key.
        timestamp: Timestamp of the upload it was made from.
        fields: The record, without the fields that are set on saving.
        pictures: Pictures in the order in which the record lists them.
        backgrounds: Pictures of the backgrounds that the record lists, in its order.
        removals: Pictures from which something was removed, one for each removal that the record lists.
    """

    request_id: str
    timestamp: str
    fields: Record
    pictures: Sequence[Picture]
    backgrounds: Sequence[Picture] = ()
    removals: Sequence[Picture] = ()

    @property
    def files(self) -> list[Picture]:
        """All its pictures, in the order of `pictures_of`."""
        return [*self.pictures, *self.backgrounds, *self.removals]


class Generations:
    """Saves generations.

    Args:
        store: Object store.
        uploads: Uploads of the same store.
        log: Record log of the same store.
    """

    def __init__(self, store: ObjectStore, uploads: Uploads, log: RecordLog) -> None:
        self._store = store
        self._uploads = uploads
        self._log = log

    def save(self, generation: Generation) -> Record:
        """Save a generation, once per request_id: repeating it returns the original record.

        Raises:
            InvalidInputError: Something is missing or malformed.
            NotFoundError: The upload does not exist.
            PreconditionError: The request_id was used for another upload.
            ContentionError: Too many writers competed, or the upload is being removed; nothing was recorded.
        """
        request_id, timestamp = paths.checked_request_id(generation.request_id), generation.timestamp
        _check_pictures(generation)
        attempt, pictures = secrets.token_hex(4), generation.files
        created = [
            paths.creative_path(timestamp, request_id, attempt, picture.name, picture.picture_format)
            for picture in pictures
        ]
        fields = generation.fields | paths_in(generation.fields, created, len(generation.pictures))
        with self._uploads.saving(timestamp, request_id) as upload:
            since, is_new = self._mark_save(request_id, timestamp)
            earlier = None if is_new else self._log.find(request_id, since)
            if earlier is not None:
                return earlier
            for path, picture in zip(created, pictures, strict=True):
                self._store.put(paths.static_key(path), picture.file, paths.content_type(path))
            record = {
                "write_date": paths.write_date(datetime.now().astimezone()),
                **fields,
                "product_image_filename": upload.photo_path,
                "request_id": request_id,
            }
            saved = self._log.append(record, since)
            if saved["product_image_filename"] != upload.photo_path:
                raise PreconditionError("This request_id was used for another upload.", "REQUEST_ID_REUSED")
            if not is_new or pictures_of(saved) != created:
                self._remove_other_attempts(request_id, timestamp, saved)
        return saved

    def _remove_other_attempts(self, request_id: str, timestamp: str, saved: Record) -> None:
        """Remove the pictures of other attempts of a request; only those in the record are ever served."""
        kept = {paths.static_key(path) for path in pictures_of(saved)}
        listed = self._store.list(paths.static_key(paths.creatives(timestamp, request_id)))
        self._store.delete([found.key for found in listed if found.key not in kept])

    def _mark_save(self, request_id: str, timestamp: str) -> tuple[int, bool]:
        """Note that a request is saving a generation.

        Returns:
            Number of segments of the log when the request first arrived, and whether that is now.
        """
        key, since = paths.save_key(timestamp, request_id), self._log.segments_at_least()
        try:
            self._store.create(key, SAVES.dump(since), paths.JSON)
        except ConflictError:
            found = SAVES.find(self._store, key)
            if found is None:  # S3 also reports a conflict if another write is about to be made
                raise ContentionError("This result is being saved.") from None
            return found.value, False
        return since, True


def paths_in(fields: Record, created: Sequence[str], ads: int) -> Record:
    """Return the fields of a record that name its pictures: so many ads, then backgrounds, then those of removals."""
    listed: Sequence[Record] = fields.get("backgrounds", ())
    named: Record = {"generated_images": list(created[:ads])}
    if listed:
        before = iter(created[ads + len(listed) :])
        backgrounds = [{**one, "path": path} for one, path in zip(listed, created[ads:], strict=False)]
        named["backgrounds"] = [
            {**one, "removal": {**one["removal"], "path": next(before)}} if "removal" in one else one
            for one in backgrounds
        ]
    return named


def pictures_of(record: Record) -> list[str]:
    """Return the paths of all pictures of a record: its ads, its backgrounds, and what these were before a removal."""
    backgrounds = record.get("backgrounds", ())
    return [
        *record["generated_images"],
        *(background["path"] for background in backgrounds),
        *(removal["path"] for removal in _removals(record)),
    ]


def _removals(record: Record) -> list[Record]:
    return [background["removal"] for background in record.get("backgrounds", ()) if "removal" in background]


def _check_pictures(generation: Generation) -> None:
    if not 1 <= len(generation.pictures) <= MAX_PICTURES or len(generation.backgrounds) > MAX_PICTURES:
        raise InvalidInputError(f"A generation has 1 to {MAX_PICTURES} pictures.", "PICTURE_COUNT")
    if len(generation.backgrounds) != len(generation.fields.get("backgrounds", ())):
        raise InvalidInputError("Each background of the record needs its picture.", "BACKGROUND_COUNT")
    if len(generation.removals) != len(_removals(generation.fields)):
        raise InvalidInputError("Each removal of the record needs its picture.", "REMOVAL_COUNT")
    if len({picture.name for picture in generation.files}) < len(generation.files):
        raise InvalidInputError("Two pictures have the same name.", "PICTURE_NAMES")
