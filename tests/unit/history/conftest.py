import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from services.history.objects.disk import DiskStore
from services.history.objects.s3 import S3Store
from services.history.objects.store import ObjectStore
from services.history.settings import HistorySettings

ENDPOINT = "S3_ENDPOINT_URL"
"""Set, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, it names a real S3 to test with, in buckets of our own."""
REGION = "us-east-1"


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A server that speaks S3: the one of the environment, else a moto server."""
    if os.environ.get(ENDPOINT):
        yield os.environ[ENDPOINT]
        return
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def s3_settings(s3_url: str) -> Iterator[HistorySettings]:
    """Settings of a bucket of the test's own."""
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
    """An empty store of either kind."""
    if request.param == "disk":
        return DiskStore(tmp_path / "store")
    return S3Store.connect(request.getfixturevalue("s3_settings"))
