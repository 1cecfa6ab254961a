"""Leases on unfinished work, so that it can be removed when its worker has died.

A worker renews its lease. The sweep marks a lease stale first, and only if it is old, by the clock of the store: those
of machines differ, and jump. Both are a compare-and-swap of one object, so nothing is ever removed while someone works
on it.
"""

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic, time

from common.errors import ContentionError
from services.history import paths
from services.history.small_files import Found, SmallFiles
from services.history.storage.base import ConflictError, ObjectStore

ATTEMPTS = 20
MAX_NOTED = 10_000
"""Own renewals that are remembered."""


@dataclass(frozen=True)
class Lease:
    """A lease on unfinished work.

    Attributes:
        request_id: Request that does the work.
        at: Time of the last renewal, or of being marked stale, in seconds since the epoch. Tells one renewal from the
            next; ages are not reckoned from it.
        condemned: Whether the work is being removed. (The name in stored files.)
    """

    request_id: str
    at: float
    condemned: bool = False


LEASES = SmallFiles(Lease, "remove the file")


class Leases:
    """Leases of one kind.

    Args:
        store: Object store.
        prefix: Prefix of their keys; the rest is the name of a lease.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._renewed: OrderedDict[str, float] = OrderedDict()
        """When this process last renewed a lease, by a clock that never jumps; the latest at the end."""

    def names(self, prefix: str = "", older_than: float | None = None) -> list[str]:
        """Return the names of leases.

        Args:
            prefix: How the names start.
            older_than: Minimum age in seconds; None: any.
        """
        listed = self._store.list(self._prefix + prefix)
        return [
            found.key.removeprefix(self._prefix)
            for found in listed
            if older_than is None or found.age_seconds > older_than
        ]

    def take(self, name: str, request_id: str) -> None:
        """Take a lease, or renew it.

        Raises:
            ContentionError: The work is being removed.
        """
        self._write(name, Lease(request_id, time()))

    def renew(self, name: str) -> None:
        """Renew a lease, if there is one.

        Raises:
            ContentionError: The work is being removed.
        """
        self._write(name, None)

    def mark_removed(self, name: str) -> Lease | None:
        """Mark work as being removed, whoever does it and whether or not there is a lease; return the earlier lease."""
        return self._write(name, Lease("", time(), condemned=True))

    def _write(self, name: str, lease: Lease | None) -> Lease | None:
        """Write a lease as a successor of the present one, which is returned. None: renew it, if there is one."""
        for _ in range(ATTEMPTS):
            found = self._find(name)
            if found is None and lease is None:
                return None
            try:
                if found is None:
                    assert lease is not None  # noqa: S101
                    self._store.create(self._prefix + name, LEASES.dump(lease), paths.JSON)
                else:
                    self._replace(name, found, condemned=lease is not None and lease.condemned)
            except ConflictError:
                continue
            self._note_renewal(name)
            return None if found is None else found.value
        raise _being_removed()

    def _note_renewal(self, name: str) -> None:
        self._renewed[name] = monotonic()
        self._renewed.move_to_end(name)
        if len(self._renewed) > MAX_NOTED:
            self._renewed.popitem(last=False)

    def _replace(self, name: str, found: Found[Lease], *, condemned: bool) -> None:
        if found.value.condemned and not condemned:
            raise _being_removed()
        successor = Lease(found.value.request_id, time(), condemned)
        self._store.replace(self._prefix + name, LEASES.dump(successor), paths.JSON, found.etag)

    def mark_stale(self, name: str, older_than: float) -> Lease | None:
        """Claim the removal of unfinished work.

        Args:
            name: Name of the lease.
            older_than: Minimum age in seconds. Younger leases, and those that this process renewed within that time,
                are left alone, whatever happens to their work.

        Returns:
            The lease, if the caller is to remove the work and then release the lease; otherwise None.

        Raises:
            DamagedStoreError: The lease cannot be read.
        """
        if monotonic() - self._renewed.get(name, -older_than) < older_than:
            return None
        found = self._find(name)
        if found is None or found.age_seconds < older_than:
            return None
        stale = LEASES.dump(Lease(found.value.request_id, time(), condemned=True))
        try:
            self._store.replace(self._prefix + name, stale, paths.JSON, found.etag)
        except ConflictError:
            present = self._find(name)
            if present is None or LEASES.dump(present.value) != stale:  # else only the response was lost
                return None
        return found.value

    def restore(self, name: str, lease: Lease) -> None:
        """Undo `mark_stale`."""
        self._store.put(self._prefix + name, LEASES.dump(Lease(lease.request_id, time())), paths.JSON)

    def release(self, name: str) -> None:
        """Release a lease: the work is finished, or removed."""
        self._store.delete([self._prefix + name])
        self._renewed.pop(name, None)

    def _find(self, name: str) -> Found[Lease] | None:
        return LEASES.find(self._store, self._prefix + name)


def _being_removed() -> ContentionError:
    return ContentionError("This upload is being removed.", "BEING_CLEARED")
