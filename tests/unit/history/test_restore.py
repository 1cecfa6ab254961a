"""The restore drill: a versioned bucket, damaged and deleted from, goes back to a moment."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.history.records.log import RecordLog
from services.history.records.queries import RecordQueries, RecordQuery
from services.history.restore import restore
from services.history.settings import HistorySettings
from services.history.storage.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[3]


def append(log: RecordLog, name: str) -> None:
    log.append({"write_date": "20261126093000", "product_name": name, "generated_images": [], "request_id": name})


def names(store: S3Store) -> list[str]:
    listed = RecordQueries(RecordLog(store, attempts=5)).list_records(RecordQuery(page_size=100))
    return [str(record["product_name"]) for record in listed.records]


@pytest.fixture
def versioned(s3_client: "S3Client", s3_settings: HistorySettings) -> HistorySettings:
    versions = {"Status": "Enabled"}
    s3_client.put_bucket_versioning(Bucket=s3_settings.s3_bucket_name, VersioningConfiguration=versions)  # type: ignore[arg-type]
    return s3_settings


def next_second() -> datetime:
    """Wait for the next second, and return the one that has passed: S3 knows no parts of seconds."""
    now = datetime.now(UTC)
    time.sleep(1.05 - now.microsecond / 1e6)
    return now.replace(microsecond=0)


def test_the_history_goes_back_to_a_moment_and_forth_again(
    s3_client: "S3Client", versioned: HistorySettings, small_segments: int
) -> None:
    bucket = versioned.s3_bucket_name
    store = S3Store(s3_client, bucket)
    log = RecordLog(store, attempts=5)
    kept = [f"kept {number}" for number in range(2 * small_segments + 1)]
    for name in kept:
        append(log, name)
    picture = "static/20261126093000-0123456789abcdef/generated/0123456789abcdef_300x250.jpg"
    store.put(picture, b"an ad", "image/jpeg")
    store.put("brands/one.json", b"{}", "application/json")
    moment = next_second()

    later = [f"later {number}" for number in range(small_segments + 2)]
    for name in later:
        append(log, name)
    newer = picture.replace("300x250", "728x90")
    store.put(newer, b"a newer ad", "image/jpeg")
    store.put("brands/two.json", b"{}", "application/json")
    log.delete(1, "20261126100000")
    store.delete([picture, "brands/one.json"])
    damaged = next(found.key for found in store.list("ledger/"))
    store.put(damaged, b"not a segment", "application/json")
    store.put("static/history_setting.json", b"[", "application/json")
    worst = next_second()

    done = restore(s3_client, bucket, moment)
    assert names(store) == kept
    assert store.get(picture).data == b"an ad"
    assert store.get(newer).data == b"a newer ad", "what is newer is not lost, nobody refers to it"
    assert [found.key for found in store.list("brands/")] == ["brands/one.json"]
    assert done.back >= 4
    assert done.away >= 1
    append(RecordLog(store, attempts=5), "after")
    assert names(store) == [*kept, "after"], "it goes on from there"

    assert restore(s3_client, bucket, worst).back > 0
    assert store.get("static/history_setting.json").data == b"[", "even the worst moment can be had back"
    restore(s3_client, bucket, moment)
    assert names(store) == kept
    again = restore(s3_client, bucket, moment)
    assert (again.back, again.away) == (0, 0)


def test_a_bucket_without_versions_is_left_alone(s3_client: "S3Client", s3_settings: HistorySettings) -> None:
    store = S3Store(s3_client, s3_settings.s3_bucket_name)
    append(RecordLog(store, attempts=5), "only")
    with pytest.raises(ValueError, match="keeps no versions"):
        restore(s3_client, s3_settings.s3_bucket_name, datetime.now(UTC) - timedelta(days=1))
    assert names(store) == ["only"]


def test_the_command_of_the_runbook_restores(s3_client: "S3Client", versioned: HistorySettings) -> None:
    store = S3Store(s3_client, versioned.s3_bucket_name)
    append(RecordLog(store, attempts=5), "kept")
    moment = next_second()
    append(RecordLog(store, attempts=5), "later")
    environment = {
        "S3_BUCKET_NAME": versioned.s3_bucket_name,
        "S3_ENDPOINT_URL": versioned.s3_endpoint_url or "",
        "S3_REGION": str(versioned.s3_region),
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "key"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "secret"),
        "PATH": "/usr/bin:/bin",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "services.history.restore", *arguments]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)

    assert "usage" in run().stderr
    assert "time zone" in run("2026-11-26T09:30:00").stderr
    assert names(store) == ["kept", "later"]
    done = run(moment.isoformat())
    assert done.returncode == 0, done.stderr
    assert ": 1 objects are back, 0 newer" in done.stdout
    assert names(store) == ["kept"]
