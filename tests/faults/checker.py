"""Proves from the clients' responses and the final store that nothing was lost or left half-done."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image, UnidentifiedImageError

from services.history import paths
from services.history.storage.base import ObjectNotFoundError, ObjectStore
from tests.faults.clients import Operation

Records = Sequence[Mapping[str, Any]]


def violations(operations: Sequence[Operation], records: Records, store: ObjectStore, stale_after: float) -> list[str]:
    """Return every violation.

    Args:
        operations: All requests with their responses.
        records: Final list of records, as returned by the gateway.
        store: Store after a restart without load, whose sweep removed everything stale.
        stale_after: Age at which an upload without a result became stale during the run, in seconds.
    """
    return [
        *_lost_or_doubled(operations, records),
        *_lists_that_do_not_agree(operations, records),
        *_broken_pictures(records, store),
        *_wrong_answers(operations, stale_after),
        *_leftovers(operations, records, store),
    ]


def _deleted(operations: Iterable[Operation]) -> set[str]:
    """Return the records that someone asked to delete; without an acknowledgement, they may be there or not."""
    about = {done.about for done in operations if done.kind == "drop"}
    return {done.about for done in operations if done.kind == "delete"} | {
        done.request_id for done in operations if done.kind == "generate" and done.about in about
    }


def _dropped(operations: Iterable[Operation]) -> dict[str, float]:
    """Return when each upload was gone for certain; 404 answers a try after one whose answer was lost."""
    return {done.about: done.ended for done in operations if done.kind == "drop" and done.tries[-1] in ("204", "404")}


def _lost_or_doubled(operations: Sequence[Operation], records: Records) -> Iterator[str]:
    present, deleted = Counter(record["request_id"] for record in records), _deleted(operations)
    for done in operations:
        is_made = done.kind == "generate" and done.acknowledged and done.request_id not in deleted
        if is_made and present[done.request_id] != 1:
            yield f"acknowledged entry {done.request_id} is there {present[done.request_id]} times"
        if done.kind == "delete" and done.acknowledged and present[done.about]:
            yield f"deleted entry {done.about} is still there"
    for request_id, count in present.items():
        if count > 1:
            yield f"entry {request_id} is there {count} times"
    numbers = [record["sequence"] for record in records]
    highest = max(numbers, default=-1)
    if numbers != sorted(set(numbers)) or highest + 1 - len(numbers) > len(deleted):
        yield "the entries are not numbered one after another"


def _lists_that_do_not_agree(operations: Sequence[Operation], records: Records) -> Iterator[str]:
    """Each list must be a prefix of the final one and hold every record acknowledged before its request."""
    deleted = _deleted(operations)
    final = [record["request_id"] for record in records if record["request_id"] not in deleted]
    acknowledged = [
        done for done in operations if done.kind == "generate" and done.acknowledged and done.request_id not in deleted
    ]
    gone = {done.about: done.ended for done in operations if done.kind == "delete" and done.acknowledged}
    dropped = _dropped(operations)
    gone |= {
        done.request_id: dropped[done.about] for done in operations if done.kind == "generate" and done.about in dropped
    }
    for listing in operations:
        if listing.kind != "list" or not listing.acknowledged:
            continue
        listed = [record["request_id"] for record in listing.answer]
        seen = [request_id for request_id in listed if request_id not in deleted]
        if seen != final[: len(seen)]:
            yield f"a list of {len(seen)} entries is not how the final one begins"
        missing = {done.request_id for done in acknowledged if done.ended < listing.started} - set(seen)
        if missing:
            yield f"a list lacks {len(missing)} entries that were acknowledged before it was asked for"
        for request_id in set(listed) & gone.keys():
            if gone[request_id] < listing.started:
                yield f"a list shows entry {request_id}, which was deleted before"


def _pictures_of(record: Mapping[str, Any]) -> list[str]:
    """Return the paths of the creatives of a record, and of the backgrounds that are kept with it."""
    backgrounds = record.get("backgrounds", [])
    removals = [kept["removal"] for kept in backgrounds if "removal" in kept]
    return [*record["generated_images"], *(kept["path"] for kept in (*backgrounds, *removals))]


def _broken_pictures(records: Records, store: ObjectStore) -> Iterator[str]:
    for record in records:
        for path in (*_pictures_of(record), record["product_image_filename"]):
            wanted = re.search(r"_(\d+)x(\d+)\.", path)
            try:
                with Image.open(io.BytesIO(store.get(paths.static_key(path)).data)) as picture:
                    picture.load()
                    size = picture.size
            except (ObjectNotFoundError, UnidentifiedImageError, OSError) as error:
                yield f"picture {path} of entry {record['request_id']}: {error!r}"
                continue
            if wanted and size != (int(wanted[1]), int(wanted[2])):
                yield f"picture {path} is {size}"


def _wrong_answers(operations: Sequence[Operation], stale_after: float) -> Iterator[str]:
    uploaded = {
        done.answer["timestamp"]: done.ended for done in operations if done.kind == "upload" and done.acknowledged
    }
    kept = {done.about for done in operations if done.kind == "generate" and done.acknowledged}
    deleted = _deleted(operations)
    unstable = {
        path
        for done in operations
        if done.kind == "generate" and done.acknowledged and done.request_id in deleted
        for path in done.answer["generated_images"]
    }
    for done in operations:
        last = done.tries[-1]
        if "500" in done.tries:
            yield f"{done.kind} {done.key} was answered with 500"
        if done.kind == "picture" and last == "200" and not _decodes(done.answer):
            yield f"half a picture was given for {done.about}"
        if done.kind == "picture" and last == "404" and done.about not in unstable:
            yield f"picture {done.about} of an acknowledged entry was not found"
        if done.kind == "generate" and last == "404":
            if done.ended - uploaded[done.about] < stale_after:
                yield f"live upload {done.about} was swept"
            if done.about in kept:
                yield f"upload {done.about} with results was swept"


def _decodes(data: bytes) -> bool:
    try:
        Image.open(io.BytesIO(data)).load()
    except OSError:
        return False
    return True


def _leftovers(operations: Sequence[Operation], records: Records, store: ObjectStore) -> Iterator[str]:
    """After the sweep, everything in the store must belong to a record, or to an upload whose records were deleted."""
    timestamps = {record["product_image_filename"].split("/")[0] for record in records}
    deleted = _deleted(operations)
    timestamps |= {done.about for done in operations if done.kind == "generate" and done.request_id in deleted}
    timestamps -= _dropped(operations).keys()
    pictures = {path for record in records for path in _pictures_of(record)}
    requests, uploads = 0, 0
    for found in store.list(""):
        kind, _, rest = found.key.partition("/")
        timestamp = re.split(r"[/.]", rest)[0]
        requests += kind == "requests"
        uploads += kind == "uploads"
        if kind in ("pending", "saving"):
            yield f"{found.key} is left"
        if kind in ("uploads", "saves") and timestamp not in timestamps:
            yield f"{found.key} is left of an upload without entries"
        if kind == "static" and found.key != paths.RECORDS:
            if timestamp not in timestamps:
                yield f"{found.key} is left of an upload without entries"
            elif "/generated/" in rest and rest not in pictures:
                yield f"{found.key} is left of a generation without an entry"
    if requests != uploads:
        yield f"{requests} requests are kept for {uploads} uploads"
