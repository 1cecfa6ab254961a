"""Generations: pictures first, the record last; the record is the commit."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.history import keys
from services.history.ledger import Ledger
from services.history.lines import Record
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore
from services.history.uploads import Uploads
from services.runtime.errors import ContentionError, InvalidInputError, PreconditionError

MOST_PICTURES = 16


@dataclass(frozen=True)
class Picture:
    """An ad to keep: a name among its siblings, and its file.

    Attributes:
        name: See above.
        file: Of the format below.
        picture_format: "PNG", "JPEG" or "WEBP".
    """

    name: str
    file: bytes
    picture_format: str


def save_generation(
    request_id: str,
    timestamp: str,
    fields: Record,
    pictures: Sequence[Picture],
    store: ObjectStore,
    uploads: Uploads,
    ledger: Ledger,
) -> Record:
    """Store a generation, once per request_id: the same again gives the record that is there.

    Args:
        request_id: Names the request.
        timestamp: The upload it was made from.
        fields: Of the record, but for those that are set here.
        pictures: In the order they are to be listed.
        store: Where pictures are kept.
        uploads: Of the same store.
        ledger: Of the same store.

    Raises:
        InvalidInputError: Something is missing or malformed.
        NotFoundError: There is no such upload.
        PreconditionError: The request_id was used for another upload.
        ContentionError: Too many others were writing, or the upload is being cleared away; nothing was recorded.
    """
    keys.checked_request_id(request_id)
    _check_pictures(pictures)
    attempt = secrets.token_hex(4)
    paths = [keys.creative_path(timestamp, request_id, attempt, one.name, one.picture_format) for one in pictures]
    with uploads.saving(timestamp, request_id) as upload:
        since, is_new = _note(request_id, timestamp, store, ledger)
        earlier = None if is_new else ledger.find(request_id, since)
        if earlier is not None:
            return earlier
        for path, picture in zip(paths, pictures, strict=True):
            store.put(keys.static_key(path), picture.file, keys.content_type(path))
        record = {
            "write_date": keys.write_date(datetime.now().astimezone()),
            **fields,
            "product_image_filename": upload.photo_path,
            "generated_images": paths,
            "request_id": request_id,
        }
        saved = ledger.append(record, since)
        if saved["product_image_filename"] != upload.photo_path:
            raise PreconditionError("This request_id was used for another upload: use a new one.", "REQUEST_ID_REUSED")
        if not is_new or saved["generated_images"] != paths:
            _remove_other_attempts(request_id, timestamp, saved, store)
    return saved


def _remove_other_attempts(request_id: str, timestamp: str, saved: Record, store: ObjectStore) -> None:
    """Remove the pictures of the request's other tries: only those of the record are ever looked at."""
    kept = {keys.static_key(path) for path in saved["generated_images"]}
    listed = store.list(keys.static_key(keys.creatives(timestamp, request_id)))
    store.delete([found.key for found in listed if found.key not in kept])


def _note(request_id: str, timestamp: str, store: ObjectStore, ledger: Ledger) -> tuple[int, bool]:
    """Note that a request is being worked on.

    Returns:
        How many segments the ledger had when the request first came, and whether that is now.
    """
    key, since = keys.save_key(timestamp, request_id), ledger.segments_at_least()
    try:
        store.create(key, str(since).encode(), keys.JSON)
    except ConflictError:
        try:
            return int(store.get(key).data), False
        except ObjectNotFoundError:  # S3 also calls it a conflict when another write is about to be made
            raise ContentionError("This result is being saved: try again.") from None
    return since, True


def _check_pictures(pictures: Sequence[Picture]) -> None:
    if not 1 <= len(pictures) <= MOST_PICTURES:
        raise InvalidInputError(f"A generation has 1 to {MOST_PICTURES} pictures.", "PICTURE_COUNT")
    if len({picture.name for picture in pictures}) < len(pictures):
        raise InvalidInputError("Two pictures have one name.", "PICTURE_NAMES")
