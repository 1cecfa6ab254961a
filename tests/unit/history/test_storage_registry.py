"""Which object store is opened, and why."""

import pytest

from common.errors import StartError
from common.serving.engines import EngineRegistry, Reason
from services.history.settings import HistorySettings
from services.history.storage.registry import open_store


@pytest.mark.parametrize(
    ("store", "reason", "subject"),
    [("s3", Reason.REQUESTED, "HISTORY_STORE"), ("auto", Reason.AVAILABLE, "S3_BUCKET_NAME")],
)
def test_s3_is_requested_or_available(s3_settings: HistorySettings, store: str, reason: Reason, subject: str) -> None:
    registry = EngineRegistry()
    open_store(s3_settings.model_copy(update={"store": store}), registry)
    [choice] = registry.choices
    assert (choice.engine, choice.reason, choice.subject) == ("s3", reason, subject)


def test_s3_needs_a_bucket() -> None:
    with pytest.raises(StartError, match="S3_BUCKET_NAME"):
        open_store(HistorySettings(store="s3"), EngineRegistry())
