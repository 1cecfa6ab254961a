"""The names of everything in the store.

    static/{timestamp}/upload/{name}           a photo, and {stem}_transparent.png, its cut-out
    static/{timestamp}/generated/{file}        ads
    static/history_setting.json                the newest records
    ledger/{number}.json                       older records, a hundred in each
    uploads/{timestamp}.json                   what is known of an upload; it exists when this does
    pending/{timestamp}                        a mark (see marks.py): the upload has no result yet
    saving/{timestamp}/{hash}                  a mark: a generation of the upload is being saved
    requests/{hash}.json                       which upload a request_id made
    claims/{hash}.json                         that a request with a key of its caller's was begun
    saves/{timestamp}/{hash}.json              that a request_id saves a generation of it, written before the pictures

Only what lies under static/ in upload/ or generated/ is ever served.
"""

import hashlib
import re
import secrets
from datetime import datetime
from pathlib import PurePosixPath, PureWindowsPath

from services.runtime.errors import InvalidInputError, NotFoundError

RECORDS = "static/history_setting.json"
SEGMENTS = "ledger/"
PENDING = "pending/"
SAVING = "saving/"
JSON = "application/json"
CLAIMS = "claims/"
LONGEST_STEM = 60

_TIMESTAMP = re.compile(r"[0-9]{14}(-[0-9a-f]{16})?")
"""The suffix is missing in what the original backend stored."""
_PICTURE = re.compile(rf"{_TIMESTAMP.pattern}/(upload|generated)/[^./\\\x00-\x1f][^/\\\x00-\x1f]*")
_PICTURE_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REQUEST_ID = re.compile(r"[^\x00-\x1f]{1,200}")
_EXTENSIONS = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_CONTENT_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


def write_date(now: datetime) -> str:
    """Give a time as records and timestamps begin: YYYYMMDDHHMMSS."""
    return now.strftime("%Y%m%d%H%M%S")


def new_timestamp(now: datetime) -> str:
    """Give a name for an upload that no other has and nobody can guess."""
    return f"{write_date(now)}-{secrets.token_hex(8)}"


def checked_timestamp(timestamp: str) -> str:
    """Give the timestamp back when it is well formed.

    Raises:
        InvalidInputError: It is not; it may be an attempt to leave the store.
    """
    if not _TIMESTAMP.fullmatch(timestamp):
        raise InvalidInputError(
            "The timestamp is not one that an upload gave: upload the photo and use what the answer holds.",
            "BAD_TIMESTAMP",
        )
    return timestamp


def checked_request_id(request_id: str) -> str:
    """Give the request_id back when it is well formed.

    Raises:
        InvalidInputError: It is missing or too long.
    """
    if not _REQUEST_ID.fullmatch(request_id):
        raise InvalidInputError("request_id must have 1 to 200 printable characters.", "BAD_REQUEST_ID")
    return request_id


def photo_name(client_name: str, picture_format: str) -> str:
    """Make a file name that needs no escaping from the client's, with the ending of what the file really is.

    Args:
        client_name: As the client gave it: may be a path of any system, empty, or in any script.
        picture_format: "PNG", "JPEG" or "WEBP".
    """
    base = PureWindowsPath(PurePosixPath(client_name).name).name
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", base.rpartition(".")[0] or base).strip("_-")
    return (stem[:LONGEST_STEM] or "photo") + _EXTENSIONS[picture_format]


def photo_path(timestamp: str, name: str) -> str:
    """Give a photo's path, relative to static/."""
    return f"{timestamp}/upload/{name}"


def cutout_path(timestamp: str, name: str) -> str:
    """Give a cut-out's path, relative to static/."""
    return f"{timestamp}/upload/{PurePosixPath(name).stem}_transparent.png"


def creative_path(timestamp: str, request_id: str, attempt: str, name: str, picture_format: str) -> str:
    """Give an ad's path, relative to static/.

    Args:
        timestamp: Of its upload.
        request_id: The request that made it.
        attempt: Which of the tries of that request.
        name: What tells it from its siblings.
        picture_format: "PNG", "JPEG" or "WEBP".

    Raises:
        InvalidInputError: The picture's name is malformed.
    """
    if not _PICTURE_NAME.fullmatch(name):
        raise InvalidInputError("A picture's name must have 1 to 40 letters, digits, - or _.", "BAD_PICTURE_NAME")
    return f"{creatives(timestamp, request_id)}{attempt}_{name}{_EXTENSIONS[picture_format]}"


def static_key(path: str) -> str:
    """Give the key of a picture by its path relative to static/.

    Raises:
        NotFoundError: It is not the path of a picture.
    """
    if not _PICTURE.fullmatch(path):
        raise NotFoundError("There is no picture at this address.")
    return f"static/{path}"


def content_type(key: str) -> str:
    """Give the content type that a key's ending tells."""
    return _CONTENT_TYPES.get(PurePosixPath(key).suffix.lower(), "application/octet-stream")


def upload_key(timestamp: str) -> str:
    """Where an upload's own record is."""
    return f"uploads/{timestamp}.json"


def request_key(request_id: str) -> str:
    """Where it is kept which upload a request made."""
    return f"requests/{_hash(request_id)}.json"


def claim_key(request_id: str) -> str:
    """Where it is kept that a request was begun."""
    return f"{CLAIMS}{_hash(request_id)}.json"


def save_key(timestamp: str, request_id: str) -> str:
    """Where it is noted that a request saves a generation of an upload."""
    return f"{saves(timestamp)}{_hash(request_id)}.json"


def saves(timestamp: str) -> str:
    """What the keys of the notes about an upload's generations begin with."""
    return f"saves/{timestamp}/"


def saving(timestamp: str, request_id: str) -> str:
    """Name the mark that a request saves a generation of an upload."""
    return f"{timestamp}/{_hash(request_id)}"


def creatives(timestamp: str, request_id: str) -> str:
    """What the paths of a request's ads begin with."""
    return f"{timestamp}/generated/{_hash(request_id)[:16]}_"


def segment(number: int) -> str:
    """Where older records are."""
    return f"{SEGMENTS}{number:08}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
