import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store
from testing.s3_server import S3Server

ENDPOINT = "S3_ENDPOINT_URL"
"""If set, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, tests use this S3 server, in buckets of their own."""
REGION = "us-east-1"


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Yield the URL of the configured S3 server, else of a moto server."""
    if os.environ.get(ENDPOINT):
        yield os.environ[ENDPOINT]
        return
    server = S3Server(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def s3_settings(s3_url: str) -> Iterator[HistorySettings]:
    """Yield settings for a bucket of the test's own."""
    real = bool(os.environ.get(ENDPOINT))
    settings = HistorySettings(
        store="s3",
        s3_bucket_name=f"bucket-{uuid.uuid4().hex}",
        s3_endpoint_url=s3_url,
        s3_region=REGION,
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"] if real else "key",
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"] if real else "secret",
    )
    client = S3Store.client(settings)
    client.create_bucket(Bucket=settings.s3_bucket_name)
    yield settings
    if real:
        S3Store.connect(settings).delete(found.key for found in S3Store.connect(settings).list(""))
        client.delete_bucket(Bucket=settings.s3_bucket_name)
    client.close()


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Open an empty store of either kind."""
    if request.param == "disk":
        return DiskStore.connect(tmp_path / "store")
    return S3Store.connect(request.getfixturevalue("s3_settings"))


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make segments of four records, so that few records fill several; return that number."""
    monkeypatch.setattr("services.history.records.log.SEGMENT", 4)
    monkeypatch.setattr("services.history.records.queries.SEGMENT", 4)
    return 4
