"""The history: everything kept in one object store."""

import structlog

from common.errors import ServiceError
from services.history.generations import Generations
from services.history.idempotency import IdempotencyRecords
from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.uploads import Uploads

log = structlog.get_logger()


class History:
    """Uploads, records and objects of one store.

    Args:
        store: Object store.
        settings: Settings of the history service.

    Attributes:
        store: Object store.
        uploads: Photos and their cutouts.
        generations: Saves generations.
        queries: Queries on the record log.
        idempotency: Requests that their callers may repeat.
    """

    def __init__(self, store: ObjectStore, settings: HistorySettings) -> None:
        record_log = RecordLog(store, settings.append_attempts)
        self.store = store
        self.uploads = Uploads(store, record_log, settings.stale_after_seconds)
        self.generations = Generations(store, self.uploads, record_log)
        self.queries = RecordQueries(record_log)
        self.idempotency = IdempotencyRecords(store, record_log, self.uploads, settings.lease_seconds)
        self._claims_kept_seconds = settings.claims_kept_seconds

    def sweep(self) -> None:
        """Remove what a crash may have left behind."""
        try:
            self.idempotency.sweep(self._claims_kept_seconds)
            self.uploads.sweep()
        except ServiceError as error:
            log.warning("could not remove stale uploads; the next upload tries again", why=str(error))
