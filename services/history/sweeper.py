"""The sweeper: removes what crashes and forgotten uploads left behind, on a timer, in one process at a time."""

import threading
from collections.abc import Callable, Sequence

import structlog

from common.errors import DamagedStoreError, ServiceError
from services.history import paths
from services.history.storage.base import ConflictError, ObjectNotFoundError, ObjectStore

log = structlog.get_logger()


class Sweeper:
    """Sweeps at intervals. Whichever process writes the note about the last sweep first does the next one.

    Args:
        store: Object store.
        sweeps: What to do.
        interval_seconds: Time from one sweep to the next, whichever process does it.
    """

    def __init__(self, store: ObjectStore, sweeps: Sequence[Callable[[], object]], interval_seconds: float) -> None:
        self._store = store
        self._sweeps = sweeps
        self._interval = interval_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start sweeping in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the sweep in progress, if any."""
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self.sweep()
            except Exception:
                log.exception("sweep failed; the next one tries again")
            self._stop.wait(self._interval)

    def sweep(self) -> bool:
        """Sweep if it is time; return whether this process did."""
        try:
            if not self._is_due():
                return False
        except ServiceError as error:
            log.warning("could not sweep; the next sweep tries again", why=str(error))
            return False
        for sweep in self._sweeps:
            try:
                sweep()
            except DamagedStoreError as error:
                log.warning("could not sweep", file=error.file, problem=error.problem, remedy=error.remedy)
            except ServiceError as error:
                log.warning("could not sweep; the next sweep tries again", why=str(error))
        return True

    def _is_due(self) -> bool:
        try:
            last = self._store.get(paths.LAST_SWEEP)
        except ObjectNotFoundError:
            last = None
        if last is not None and 0 <= last.age_seconds < self._interval:
            return False
        try:
            if last is None:
                self._store.create(paths.LAST_SWEEP, b"0", paths.JSON)
            else:
                self._store.replace(paths.LAST_SWEEP, _other(last.data), paths.JSON, last.etag)
        except ConflictError:  # another process does it
            return False
        return True


def _other(data: bytes) -> bytes:
    """Return other contents than these, since an entity tag changes with the contents only."""
    return b"1" if data == b"0" else b"0"
