"""Marks on what is unfinished, so that it can be cleared away when whoever works on it has died.

Who works renews the mark; who clears away condemns it first, and only when it is old. Both are a compare-and-swap of
one object, so nothing is ever cleared away from under working hands.
"""

import json
from dataclasses import asdict, dataclass
from time import time as now

from services.history import keys
from services.history.objects.store import ConflictError, ObjectNotFoundError, ObjectStore, StoredObject
from services.runtime.errors import ContentionError

ATTEMPTS = 20


@dataclass(frozen=True)
class Mark:
    """That something is unfinished.

    Attributes:
        request_id: Whose work it is.
        at: When it was renewed or condemned last, in seconds of the epoch.
        condemned: Whether what it marks is being cleared away.
    """

    request_id: str
    at: float
    condemned: bool = False

    @property
    def age(self) -> float:
        """In seconds."""
        return now() - self.at


class Marks:
    """The marks of one kind.

    Args:
        store: Where they are kept.
        prefix: What their keys begin with; their names follow it.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def names(self, beginning: str = "") -> list[str]:
        """Give the names of all marks, or of those that begin so."""
        listed = self._store.list(self._prefix + beginning)
        return [found.key.removeprefix(self._prefix) for found in listed]

    def place(self, name: str, request_id: str) -> None:
        """Make a mark, or renew it.

        Raises:
            ContentionError: What it marks is being cleared away.
        """
        for _ in range(ATTEMPTS):
            found = self._read(name)
            try:
                if found is None:
                    self._store.create(self._prefix + name, _dump(Mark(request_id, now())), keys.JSON)
                else:
                    self._renew(name, found)
            except ConflictError:
                continue
            return
        raise _being_cleared()

    def renew(self, name: str) -> None:
        """Renew a mark; where there is none, there is nothing to do.

        Raises:
            ContentionError: What it marks is being cleared away.
        """
        for _ in range(ATTEMPTS):
            found = self._read(name)
            if found is None:
                return
            try:
                self._renew(name, found)
            except ConflictError:
                continue
            return
        raise _being_cleared()

    def _renew(self, name: str, found: StoredObject) -> None:
        mark = _load(found.data)
        if mark.condemned:
            raise _being_cleared()
        self._store.replace(self._prefix + name, _dump(Mark(mark.request_id, now())), keys.JSON, found.etag)

    def condemn(self, name: str, older_than: float) -> Mark | None:
        """Begin to clear away what a mark is on.

        Args:
            name: The mark's.
            older_than: In seconds: a younger one is left, whether somebody works on it or is clearing it away.

        Returns:
            The mark, when it is for the caller to clear away what it is on, and then to remove it.
        """
        found = self._read(name)
        if found is None or (mark := _load(found.data)).age <= older_than:
            return None
        condemned = _dump(Mark(mark.request_id, now(), condemned=True))
        try:
            self._store.replace(self._prefix + name, condemned, keys.JSON, found.etag)
        except ConflictError:
            present = self._read(name)
            if present is None or present.data != condemned:  # else it was written, and only the answer got lost
                return None
        return mark

    def forgive(self, name: str, mark: Mark) -> None:
        """Take a condemnation back."""
        self._store.put(self._prefix + name, _dump(Mark(mark.request_id, now())), keys.JSON)

    def remove(self, name: str) -> None:
        """Remove a mark: what it was on is finished, or cleared away."""
        self._store.delete([self._prefix + name])

    def _read(self, name: str) -> StoredObject | None:
        try:
            return self._store.get(self._prefix + name)
        except ObjectNotFoundError:
            return None


def _dump(mark: Mark) -> bytes:
    return json.dumps(asdict(mark)).encode()


def _load(data: bytes) -> Mark:
    """Read a mark; one that is damaged, or of an earlier version, is as old as can be."""
    try:
        return Mark(**json.loads(data))
    except (ValueError, TypeError):
        return Mark("", 0)


def _being_cleared() -> ContentionError:
    return ContentionError("This upload is being cleared away: upload the photo again.", "BEING_CLEARED")
