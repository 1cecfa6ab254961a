"""Names and keys in the object store.

    static/{timestamp}/upload/{name}           a photo, and {stem}_{digest}_transparent.png, its cutout
    static/{timestamp}/generated/{file}        creatives, kept backgrounds, and these before a removal
    static/history_setting.json                the newest records
    ledger/{number}.json                       older records, a hundred in each
    uploads/{timestamp}.json                   metadata of an upload; the upload exists if and only if this does
    pending/{timestamp}                        a lease (see leases.py): the upload has no result yet
    saving/{timestamp}/{hash}                  a lease: a generation of the upload is being saved
    requests/{hash}.json                       the upload that a request_id created
    claims/{hash}.json                         a claimed request with an idempotency key (see idempotency.py)
    saves/{timestamp}/{hash}.json              a note that a request_id saves a generation, written before its pictures
    brands/{hash}.json                         a brand kit, by its name
    sweeps/last                                when the last sweep began (see sweeper.py)

What is in requests/, claims/ and saves/ is about requests that may be repeated, and is removed when they may not be any
more. Only files in upload/ or generated/ under static/ are ever served.
"""

import hashlib
import re
import secrets
import unicodedata
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath

from common.errors import InvalidInputError, NotFoundError

RECORDS = "static/history_setting.json"
SEGMENTS = "ledger/"
PENDING = "pending/"
SAVING = "saving/"
JSON = "application/json"
UPLOADS = "uploads/"
REQUESTS = "requests/"
CLAIMS = "claims/"
SAVES = "saves/"
BRANDS = "brands/"
NOTES = (REQUESTS, CLAIMS, SAVES)
LAST_SWEEP = "sweeps/last"
MAX_STEM = 60
CUTOUT = "_transparent.png"
"""How the file name of a cutout ends."""

_TIMESTAMP = re.compile(r"[0-9]{14}(-[0-9a-f]{16})?")
"""Timestamps of the original backend have no suffix."""
_FILE_NAME = re.compile(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]*")
_PICTURE = re.compile(rf"{_TIMESTAMP.pattern}/(upload|generated)/{_FILE_NAME.pattern}")
_PICTURE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REQUEST_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_EXTENSIONS = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "HEIF": ".heic",
    "AVIF": ".avif",
    "TIFF": ".tiff",
    "BMP": ".bmp",
    "GIF": ".gif",
}
_CONTENT_TYPES = {end: f"image/{end[1:]}" for end in _EXTENSIONS.values()} | {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


def write_date(now: datetime) -> str:
    """Format a time as in records and timestamps: YYYYMMDDHHMMSS."""
    return now.strftime("%Y%m%d%H%M%S")


def new_timestamp(now: datetime) -> str:
    """Return a unique, unguessable name for an upload."""
    return f"{write_date(now)}-{secrets.token_hex(8)}"


def checked_timestamp(timestamp: str) -> str:
    """Return the timestamp if it is well-formed.

    Raises:
        InvalidInputError: It is malformed, possibly an attempt at path traversal.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidInputError(
            "The timestamp is malformed: it is not that of an upload.",
            "BAD_TIMESTAMP",
        )
    return timestamp


def checked_request_id(request_id: str) -> str:
    """Return the request_id if it is well-formed.

    Raises:
        InvalidInputError: It is empty, longer than 200 characters, or holds control characters.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        raise InvalidInputError("request_id must have 1 to 200 printable characters.", "BAD_REQUEST_ID")
    return request_id


def photo_name(client_name: str, picture_format: str) -> str:
    """Derive a file name that needs no escaping from the client's, with the extension of the actual format.

    Args:
        client_name: File name as the client gave it: may be empty, a path of any system, or in any script.
        picture_format: Format of the file, as `check_header` names it.
    """
    base = PureWindowsPath(PurePosixPath(client_name).name).name
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", base.rpartition(".")[0] or base).strip("_-")
    return (stem[:MAX_STEM] or "photo") + _EXTENSIONS[picture_format]


def is_file_name(name: str) -> bool:
    """Return whether a stored name of a photo is one that `photo_name` may have made, or the original backend."""
    return _FILE_NAME.fullmatch(name) is not None


def photo_path(timestamp: str, name: str) -> str:
    """Return the path of a photo, relative to static/."""
    return f"{timestamp}/upload/{name}"


def cutout_path(timestamp: str, name: str, digest: str) -> str:
    """Return the path of a cutout, relative to static/.

    Args:
        timestamp: Timestamp of the upload.
        name: File name of the photo.
        digest: SHA-256 of the cutout in hexadecimal; empty before 0.2.0.
    """
    part = f"_{digest[:12]}" if digest else ""
    return f"{timestamp}/upload/{PurePosixPath(name).stem}{part}{CUTOUT}"


def creative_path(timestamp: str, request_id: str, attempt: str, name: str, picture_format: str) -> str:
    """Return the path of a creative, relative to static/.

    Args:
        timestamp: Timestamp of the upload.
        request_id: Request that made it.
        attempt: Id of the attempt at that request.
        name: Name among its siblings.
        picture_format: Format of the file, as `check_header` names it.

    Raises:
        InvalidInputError: The name is malformed.
    """
    if not _PICTURE_NAME.fullmatch(name):
        raise InvalidInputError("A picture's name must have 1 to 40 letters, digits, - or _.", "BAD_PICTURE_NAME")
    return f"{creatives(timestamp, request_id)}{attempt}_{name}{_EXTENSIONS[picture_format]}"


def is_creative(path: str) -> bool:
    """Return whether a path, relative to static/, is that of a creative."""
    return _PICTURE.fullmatch(path) is not None and path.split("/")[1] == "generated"


def static_key(path: str) -> str:
    """Return the key of a picture.

    Args:
        path: Path relative to static/.

    Raises:
        NotFoundError: It is not the path of a picture.
    """
    if not _PICTURE.fullmatch(path):
        raise NotFoundError("There is no picture at this address.")
    return f"static/{path}"


def content_type(key: str) -> str:
    """Return the content type for the extension of a key."""
    return _CONTENT_TYPES.get(PurePosixPath(key).suffix.lower(), "application/octet-stream")


def upload_key(timestamp: str) -> str:
    """Return the key of the metadata of an upload."""
    return f"{UPLOADS}{timestamp}.json"


def request_key(request_id: str) -> str:
    """Return the key that maps a request to the upload it created."""
    return f"{REQUESTS}{_hash(request_id)}.json"


def claim_key(request_id: str) -> str:
    """Return the key of a claimed request."""
    return f"{CLAIMS}{_hash(request_id)}.json"


def save_key(timestamp: str, request_id: str) -> str:
    """Return the key of the note that a request saves a generation of an upload."""
    return f"{saves(timestamp)}{_hash(request_id)}.json"


def saves(timestamp: str) -> str:
    """Return the key prefix of the notes about generations of an upload."""
    return f"{SAVES}{timestamp}/"


def saving(timestamp: str, request_id: str) -> str:
    """Return the name of the lease of a request that saves a generation of an upload."""
    return f"{timestamp}/{_hash(request_id)}"


def creatives(timestamp: str, request_id: str) -> str:
    """Return the path prefix of the creatives of a request, relative to static/."""
    return f"{timestamp}/generated/{_hash(request_id)[:16]}_"


def brand_key(name: str) -> str:
    """Return the key of a brand kit; names that differ in case only are one."""
    return f"{BRANDS}{_hash(unicodedata.normalize('NFKC', name).casefold())}.json"


def segment(number: int) -> str:
    """Return the key of a segment of older records."""
    return f"{SEGMENTS}{number:08}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
