"""The history service's process: `python -m services.history`."""

import grpc

from productimage.history.v1.history_pb2_grpc import add_HistoryServiceServicer_to_server
from services.history.objects.disk import DiskStore
from services.history.objects.s3 import S3Store
from services.history.objects.store import ObjectStore
from services.history.servicer import HistoryServicer
from services.history.settings import HistorySettings
from services.runtime.engines import Choice, announce
from services.runtime.executor import BoundedExecutor
from services.runtime.server import Register, StartError, run
from services.runtime.settings import read_settings

SERVICE = "productimage.history.v1.HistoryService"


def open_store(settings: HistorySettings) -> ObjectStore:
    """Open the store that the settings ask for.

    Raises:
        StartError: S3 was asked for and cannot be used.
    """
    if settings.store == "s3" and not settings.s3_bucket_name:
        raise StartError("HISTORY_STORE=s3 needs a bucket: set S3_BUCKET_NAME")
    if settings.store == "disk":
        announce(Choice("storage", DiskStore.name, "asked for", "HISTORY_STORE"))
        return DiskStore(settings.disk_dir)
    if not settings.s3_bucket_name:
        announce(Choice("storage", DiskStore.name, "lacking", "S3_BUCKET_NAME", "S3_BUCKET_NAME=..."))
        return DiskStore(settings.disk_dir)
    store = S3Store.connect(settings)
    announce(Choice("storage", store.name, "found", "S3_BUCKET_NAME"))
    return store


def load(settings: HistorySettings) -> Register:
    """Open the store and give the function that adds the servicer to a server."""
    store = open_store(settings)

    def register(server: grpc.aio.Server, executor: BoundedExecutor) -> None:
        add_HistoryServiceServicer_to_server(HistoryServicer(store, settings, executor), server)

    return register


if __name__ == "__main__":
    _settings = read_settings(HistorySettings)
    run(_settings, SERVICE, lambda: load(_settings))
