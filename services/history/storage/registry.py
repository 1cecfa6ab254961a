"""Selection of the object store, once at start, by settings."""

from common.errors import StartError
from common.serving.engines import Choice, EngineRegistry, Reason
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store


def open_store(settings: HistorySettings, registry: EngineRegistry) -> ObjectStore:
    """Open the configured store and report the choice.

    Raises:
        StartError: The store cannot be used.
    """
    if settings.store == "s3" and not settings.s3_bucket_name:
        raise StartError("HISTORY_STORE=s3 needs a bucket: set S3_BUCKET_NAME")
    if settings.store == "disk":
        registry.report_choice(Choice("storage", DiskStore.name, Reason.REQUESTED, "HISTORY_STORE"))
        return DiskStore.connect(settings.disk_dir)
    if not settings.s3_bucket_name:
        choice = Choice("storage", DiskStore.name, Reason.FALLBACK, "S3_BUCKET_NAME", "S3_BUCKET_NAME=...")
        registry.report_choice(choice)
        return DiskStore.connect(settings.disk_dir)
    store = S3Store.connect(settings)
    if settings.store == "s3":
        registry.report_choice(Choice("storage", store.name, Reason.REQUESTED, "HISTORY_STORE"))
    else:
        registry.report_choice(Choice("storage", store.name, Reason.AVAILABLE, "S3_BUCKET_NAME"))
    return store
