"""The history: everything kept in one object store."""

from prometheus_client import Gauge

from common.errors import DamagedStoreError, UnavailableError
from common.serving.readiness import Problem
from services.history.brands import Brands
from services.history.deletion import Deletion
from services.history.generations import Generations
from services.history.idempotency import IdempotencyRecords
from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.sweeper import Sweeper
from services.history.uploads import Uploads

FREE_BYTES = Gauge("productimage_store_free_bytes", "Room left in the object store, where it is known.")


class History:
    """Uploads, records and objects of one store.

    Args:
        store: Object store.
        settings: Settings of the history service.

    Attributes:
        store: Object store.
        uploads: Photos and their cutouts.
        brands: Brand kits.
        generations: Saves generations.
        queries: Queries on the record log.
        idempotency: Requests that their callers may repeat.
        deletion: Deletes records and uploads.
        sweeper: Removes what is left behind.
    """

    def __init__(self, store: ObjectStore, settings: HistorySettings) -> None:
        record_log = RecordLog(store, settings.append_attempts)
        self.store = store
        self.uploads = Uploads(store, record_log, settings.stale_after_seconds)
        self.brands = Brands(store, settings)
        self.generations = Generations(store, self.uploads, record_log)
        self.queries = RecordQueries(record_log)
        self.idempotency = IdempotencyRecords(
            store, record_log, self.uploads, settings.lease_seconds, settings.renewed_lease_seconds
        )
        self.deletion = Deletion(store, self.uploads, record_log)
        self.sweeper = Sweeper(
            store,
            (self.uploads.sweep, lambda: self.idempotency.sweep(settings.claims_kept_seconds)),
            settings.sweep_seconds,
        )
        self._log = record_log
        self._min_free = settings.min_free_bytes

    def room(self) -> int | None:
        """Return the bytes left in the store; None without a limit, or while it cannot be used."""
        try:
            return self.store.free_bytes()
        except UnavailableError:
            return None

    def problems(self) -> list[Problem]:
        """Return what keeps the store from being used as a whole; reads only what has changed since the last time."""
        found = []
        try:
            free = self.store.free_bytes()
            if free is not None:
                FREE_BYTES.set(free)
                if free < self._min_free:
                    found.append(Problem("storage", f"has only {free >> 20} MB left", "free some space"))
            self._log.check()
        except DamagedStoreError as error:
            found.append(Problem(error.file, error.problem, error.remedy))
        except UnavailableError as error:
            found.append(Problem("storage", str(error), "see the log of the history service"))
        return found
