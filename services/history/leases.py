"""Leases on unfinished work, so that it can be removed when its worker has died.

A worker renews its lease. The sweep marks a lease stale first, and only if it is old. Both are a compare-and-swap of
one object, so nothing is ever removed while someone works on it.
"""

import json
from dataclasses import asdict, dataclass
from time import time as now

from common.errors import ContentionError
from services.history import paths
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore, StoredObject

ATTEMPTS = 20


@dataclass(frozen=True)
class Lease:
    """A lease on unfinished work.

    Attributes:
        request_id: Request that does the work.
        at: Time of the last renewal, or of being marked stale, in seconds since the epoch.
        condemned: Whether the work is being removed. (The name in stored files.)
    """

    request_id: str
    at: float
    condemned: bool = False

    @property
    def age(self) -> float:
        """Age in seconds."""
        return now() - self.at


class Leases:
    """Leases of one kind.

    Args:
        store: Object store.
        prefix: Prefix of their keys; the rest is the name of a lease.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all leases that start with a prefix."""
        listed = self._store.list(self._prefix + prefix)
        return [found.key.removeprefix(self._prefix) for found in listed]

    def take(self, name: str, request_id: str) -> None:
        """Take a lease, or renew it.

        Raises:
            ContentionError: The work is being removed.
        """
        for _ in range(ATTEMPTS):
            found = self._read(name)
            try:
                if found is None:
                    self._store.create(self._prefix + name, _dump(Lease(request_id, now())), paths.JSON)
                else:
                    self._renew(name, found)
            except ConflictError:
                continue
            return
        raise _being_removed()

    def renew(self, name: str) -> None:
        """Renew a lease, if there is one.

        Raises:
            ContentionError: The work is being removed.
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
        raise _being_removed()

    def _renew(self, name: str, found: StoredObject) -> None:
        lease = _load(found.data)
        if lease.condemned:
            raise _being_removed()
        self._store.replace(self._prefix + name, _dump(Lease(lease.request_id, now())), paths.JSON, found.etag)

    def mark_stale(self, name: str, older_than: float) -> Lease | None:
        """Claim the removal of unfinished work.

        Args:
            name: Name of the lease.
            older_than: Minimum age in seconds. Younger leases are left alone, whatever happens to their work.

        Returns:
            The lease, if the caller is to remove the work and then release the lease; otherwise None.
        """
        found = self._read(name)
        if found is None or (lease := _load(found.data)).age <= older_than:
            return None
        stale = _dump(Lease(lease.request_id, now(), condemned=True))
        try:
            self._store.replace(self._prefix + name, stale, paths.JSON, found.etag)
        except ConflictError:
            present = self._read(name)
            if present is None or present.data != stale:  # otherwise it was written, and only the response was lost
                return None
        return lease

    def restore(self, name: str, lease: Lease) -> None:
        """Undo `mark_stale`."""
        self._store.put(self._prefix + name, _dump(Lease(lease.request_id, now())), paths.JSON)

    def release(self, name: str) -> None:
        """Release a lease: the work is finished, or removed."""
        self._store.delete([self._prefix + name])

    def _read(self, name: str) -> StoredObject | None:
        try:
            return self._store.get(self._prefix + name)
        except ObjectNotFoundError:
            return None


def _dump(lease: Lease) -> bytes:
    return json.dumps(asdict(lease)).encode()


def _load(data: bytes) -> Lease:
    """Read a lease; a damaged one counts as infinitely old."""
    try:
        return Lease(**json.loads(data))
    except (ValueError, TypeError):
        return Lease("", 0)


def _being_removed() -> ContentionError:
    return ContentionError("This upload is being removed.", "BEING_CLEARED")
