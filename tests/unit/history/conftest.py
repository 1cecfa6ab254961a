import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store
from testing.s3_server import S3Server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


def settings_for(url: str) -> HistorySettings:
    """Return settings for a bucket of its own on an S3 server."""
    real = bool(os.environ.get(ENDPOINT))
    return HistorySettings(
        store="s3",
        s3_bucket_name=f"bucket-{uuid.uuid4().hex}",
        s3_endpoint_url=url,
        s3_region=REGION,
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"] if real else "key",
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"] if real else "secret",
    )


@pytest.fixture(scope="session")
def s3_client(s3_url: str) -> "Iterator[S3Client]":
    """Yield the client of all tests: to make one takes longer than most of them."""
    with closing(S3Store.client(settings_for(s3_url))) as client:
        yield client


@pytest.fixture
def s3_settings(s3_url: str, s3_client: "S3Client") -> Iterator[HistorySettings]:
    """Yield settings for a bucket of the test's own."""
    settings = settings_for(s3_url)
    s3_client.create_bucket(Bucket=settings.s3_bucket_name)
    yield settings
    if os.environ.get(ENDPOINT):
        store = S3Store(s3_client, settings.s3_bucket_name)
        store.delete(found.key for found in store.list(""))
        s3_client.delete_bucket(Bucket=settings.s3_bucket_name)


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Open an empty store of either kind."""
    if request.param == "disk":
        return DiskStore.connect(tmp_path / "store")
    settings: HistorySettings = request.getfixturevalue("s3_settings")
    return S3Store(request.getfixturevalue("s3_client"), settings.s3_bucket_name)


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> int:
    """Make segments of four records, so that few records fill several; return that number."""
    monkeypatch.setattr("services.history.records.log.SEGMENT", 4)
    monkeypatch.setattr("services.history.records.queries.SEGMENT", 4)
    return 4
