"""What an object store is."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


class ObjectNotFoundError(Exception):
    """There is no object of that key."""


class ConflictError(Exception):
    """The object is not in the state that the write was conditional on; nothing was written."""


@dataclass(frozen=True)
class StoredObject:
    """An object, whole.

    Attributes:
        data: Its bytes.
        etag: Changes when the bytes change.
    """

    data: bytes
    etag: str


@dataclass(frozen=True)
class OpenObject:
    """An object being read.

    Attributes:
        chunks: Its bytes in order, at most 1 MiB at a time.
        etag: Changes when the bytes change.
        size: How many bytes there are.
    """

    chunks: Iterator[bytes]
    etag: str
    size: int


@dataclass(frozen=True)
class Listed:
    """An object in a listing.

    Attributes:
        key: Its key.
        age_seconds: How long ago it was written.
    """

    key: str
    age_seconds: float


class ObjectStore(Protocol):
    """Named bytes. Keys are of letters, digits and "._-/"; every call blocks; safe to call from several threads."""

    @property
    def name(self) -> str:
        """As the log names it."""

    def get(self, key: str) -> StoredObject:
        """Read an object.

        Raises:
            ObjectNotFoundError: There is none.
        """

    def open(self, key: str) -> AbstractContextManager[OpenObject]:
        """Read an object piece by piece.

        Raises:
            ObjectNotFoundError: There is none.
        """

    def sign(self, key: str, valid_seconds: int) -> str | None:
        """Give an address at which anybody can read an object for so long; None when the store has none to give.

        Raises:
            ObjectNotFoundError: There is no such object.
        """

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Write an object, over what may be there; readers see the old or the new one, whole."""

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """Write an object that must not be there yet.

        Raises:
            ConflictError: It is there.
        """

    def replace(self, key: str, data: bytes, content_type: str, etag: str) -> None:
        """Write an object whose present state must have this etag (compare and swap).

        Raises:
            ConflictError: It has changed, or is gone.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there count as removed."""

    def list(self, prefix: str) -> Iterator[Listed]:
        """Give the objects whose keys begin with the prefix, in order of their keys."""
