"""Inspection of a whole store, for operators: which files are damaged, and what mends each."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from common.errors import DamagedStoreError
from services.history import paths
from services.history.brands import BRANDS
from services.history.generations import SAVES
from services.history.idempotency import CLAIMS
from services.history.leases import LEASES
from services.history.records.log import RecordLog
from services.history.small_files import SmallFiles
from services.history.storage.base import ObjectStore
from services.history.uploads import REQUESTS, UPLOADS

KINDS: dict[str, SmallFiles[Any]] = {
    paths.UPLOADS: UPLOADS,
    paths.BRANDS: BRANDS,
    paths.REQUESTS: REQUESTS,
    paths.CLAIMS: CLAIMS,
    paths.SAVES: SAVES,
    paths.PENDING: LEASES,
    paths.SAVING: LEASES,
}
MAX_FILES = 5000
"""Files of each kind that are read."""


def damaged_files(store: ObjectStore, log: RecordLog) -> Iterator[DamagedStoreError]:
    """Yield an error for each damaged file; of the record log, for the first one only."""
    try:
        log.check()
    except DamagedStoreError as error:
        yield error
    for prefix, kind in KINDS.items():
        for found in islice(store.list(prefix), MAX_FILES):
            try:
                kind.find(store, found.key)
            except DamagedStoreError as error:
                yield error
