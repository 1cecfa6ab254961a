"""`python -m services.history.check`: whether the configured object store can be used."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from common.aws import AWS_ERRORS, finding_for
from common.errors import UnavailableError
from common.findings import Finding, print_findings
from common.settings import read_settings
from services.history.inspection import damaged_files
from services.history.records.log import RecordLog
from services.history.settings import HistorySettings
from services.history.storage.base import ObjectStore
from services.history.storage.disk import DiskStore
from services.history.storage.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBE = "doctor/"
MIN_FREE = 1 << 30
"""Free space on the disk, in bytes."""


def findings(settings: HistorySettings) -> Iterator[Finding]:
    """Check free space, and the rights on the S3 bucket if one is configured. No finding contains a secret."""
    yield _free_space(settings)
    if not settings.s3_bucket_name or settings.store == "disk":
        yield Finding("S3", ok=True, detail="not used: everything is kept on the disk")
        yield from _files(DiskStore(settings.disk_dir), settings)
        return
    try:
        yield from _s3(settings)
        with closing(S3Store.client(settings)) as client:
            yield from _files(S3Store(client, settings.s3_bucket_name), settings)
    except AWS_ERRORS as error:
        yield finding_for("S3", error)


def _files(store: ObjectStore, settings: HistorySettings) -> Iterator[Finding]:
    damaged = 0
    try:
        for error in damaged_files(store, RecordLog(store, settings.append_attempts)):
            damaged += 1
            yield Finding(f"file {error.file}", ok=False, detail=error.problem, fix=error.remedy)
    except UnavailableError as error:
        yield Finding("stored files", ok=False, detail=str(error), fix="check the rights of the service on its storage")
        return
    if not damaged:
        yield Finding("stored files", ok=True, detail="can be read")


def _free_space(settings: HistorySettings) -> Finding:
    folder = settings.disk_dir if settings.disk_dir.is_dir() else Path()
    free = shutil.disk_usage(folder).free
    fix = "" if free >= MIN_FREE else "free some space: ads and photos are kept here"
    return Finding("free disk space", free >= MIN_FREE, f"{free / 1e9:.1f} GB", fix)


def _s3(settings: HistorySettings) -> Iterator[Finding]:
    bucket, key = settings.s3_bucket_name, PROBE + secrets.token_hex(8)
    with closing(S3Store.client(settings)) as client:
        client.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")
        try:
            yield from _rights(client, bucket, key)
        finally:
            client.delete_object(Bucket=bucket, Key=key)


def _rights(client: "S3Client", bucket: str, key: str) -> Iterator[Finding]:
    try:
        client.put_object(Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
            raise
    else:
        yield Finding("S3", False, "conditional writes are ignored", "use an S3 that knows If-None-Match and If-Match")
        return
    client.get_object(Bucket=bucket, Key=key)
    client.list_objects_v2(Bucket=bucket, Prefix=PROBE)
    yield Finding("S3", ok=True, detail=f"bucket {bucket}: conditional write, read, list and delete work")


if __name__ == "__main__":
    print_findings(findings(read_settings(HistorySettings)))
