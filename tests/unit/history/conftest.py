from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from services.history.objects.disk import DiskStore
from services.history.objects.s3 import S3Store
from services.history.objects.store import ObjectStore
from services.history.settings import HistorySettings


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A real HTTP server that speaks S3."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def s3_settings(s3_url: str, request: pytest.FixtureRequest) -> HistorySettings:
    """Settings of a bucket of the test's own."""
    bucket = f"bucket-{abs(hash(request.node.nodeid))}"
    settings = HistorySettings(
        store="s3",
        s3_bucket_name=bucket,
        s3_endpoint_url=s3_url,
        s3_region="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    client = boto3.client(
        "s3", endpoint_url=s3_url, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket=bucket)
    client.close()
    return settings


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of either kind."""
    if request.param == "disk":
        return DiskStore(tmp_path / "store")
    return S3Store.connect(request.getfixturevalue("s3_settings"))
