"""Protocol of the object stores."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class ObjectNotFoundError(Exception):
    """No object has this key."""


class TooLargeError(Exception):
    """The object is larger than what its reader expects at most."""


class ConflictError(Exception):
    """The object is not in the state that the write was conditional on; nothing was written."""


@dataclass(frozen=True)
class StoredObject:
    """An object read as a whole.

    Attributes:
        data: Its bytes.
        etag: Entity tag; changes when the bytes change.
        age_seconds: Time since it was last written, in seconds, by the clock of the store.
    """

    data: bytes
    etag: str
    age_seconds: float = 0.0


@dataclass(frozen=True)
class OpenObject:
    """An object being read.

    Attributes:
        chunks: Its bytes in order, in chunks of at most 256 KiB.
        etag: Entity tag; changes when the bytes change.
        size: Size in bytes.
    """

    chunks: Iterator[bytes]
    etag: str
    size: int


@dataclass(frozen=True)
class Listed:
    """An object in a listing.

    Attributes:
        key: Its key.
        age_seconds: Time since it was last written, in seconds, by the clock of the store.
        version: Changes whenever it is written.
    """

    key: str
    age_seconds: float
    version: str


MAX_BYTES = 64 << 20
"""Largest object that is read as a whole."""


class ObjectStore(Protocol):
    """Bytes by key. Keys consist of letters, digits and "._-/". All calls block. Thread-safe.

    Every call raises UnavailableError if the store does not respond, is full (STORAGE_FULL) or refuses the call.
    """

    @property
    def name(self) -> str:
        """Name in the log and in the list of engines."""

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> StoredObject:
        """Read an object.

        Raises:
            ObjectNotFoundError: The object does not exist.
            TooLargeError: It is larger than this; nothing was read.
        """

    def open(self, key: str) -> AbstractContextManager[OpenObject]:
        """Read an object in chunks.

        Raises:
            ObjectNotFoundError: The object does not exist.
        """

    def sign(self, key: str, valid_seconds: int) -> str | None:
        """Return a URL at which anyone can read an object for a limited time; None if the store has no URLs.

        Raises:
            ObjectNotFoundError: The object does not exist.
        """

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write an object, replacing any present one. Atomic: readers see the old or the new one, whole."""

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """Write an object that must not exist yet.

        Raises:
            ConflictError: The object exists.
        """

    def replace(self, key: str, data: bytes, content_type: str, etag: str) -> None:
        """Replace an object if it still has this etag (compare-and-swap).

        Raises:
            ConflictError: The object has changed or no longer exists.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; missing ones count as deleted."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """Return the objects whose keys start with a prefix; in key order within a folder."""

    def free_bytes(self) -> int | None:
        """Return the room that is left; None if the store has no limit that it knows."""
