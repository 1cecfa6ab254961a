"""The one reader of small stored files. Whatever is wrong with a file becomes an error that names it and what to do."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from common.errors import DamagedStoreError
from services.history.storage.base import ObjectNotFoundError, ObjectStore, TooLargeError

T = TypeVar("T")

MAX_BYTES = 1 << 20
"""Nothing that is read here is as large as this."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """A small file.

    Attributes:
        value: What it holds.
        etag: Its entity tag.
        age_seconds: Time since it was last written, in seconds, by the clock of the store.
    """

    value: T
    etag: str
    age_seconds: float


class SmallFiles(Generic[T]):
    """Small JSON files of one kind. Fields of a later version are ignored, missing ones of an earlier one are defaults.

    Args:
        kind: The dataclass that a file holds.
        remedy: What mends a damaged one, for operators.
    """

    def __init__(self, kind: type[T], remedy: str) -> None:
        self._adapter = TypeAdapter(kind)
        self._remedy = remedy

    def find(self, store: ObjectStore, key: str) -> Found[T] | None:
        """Read a file; None if there is none.

        Raises:
            DamagedStoreError: It does not hold what it should.
        """
        try:
            found = store.get(key, MAX_BYTES)
        except ObjectNotFoundError:
            return None
        except TooLargeError:
            raise self.damaged(key, "is far too large") from None
        try:
            value = self._adapter.validate_json(found.data)
        except ValidationError:
            raise self.damaged(key, "does not hold what it should") from None
        return Found(value, found.etag, found.age_seconds)

    def damaged(self, key: str, problem: str) -> DamagedStoreError:
        """Return the error for a damaged file."""
        return DamagedStoreError(file=key, problem=problem, remedy=self._remedy)

    def dump(self, value: T) -> bytes:
        """Return a file as stored."""
        return self._adapter.dump_json(value)
