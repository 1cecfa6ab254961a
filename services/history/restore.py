"""`python -m services.history.restore TIME`: bring the history in a versioned bucket back to a moment.

Run it while no history service runs. The list of records, their segments, brands and what requests have done become
what they were; pictures and photos that were deleted since then come back; newer ones stay, and nobody refers to them.
Nothing is lost: what is replaced remains as an older version, so a later moment can still be restored.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from common.settings import read_settings
from services.history import paths
from services.history.settings import HistorySettings
from services.history.storage.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EXACTLY = (paths.RECORDS, paths.SEGMENTS, paths.BRANDS, paths.SAVES, paths.CLAIMS)
"""What becomes what it was, so that newer ones go. Of everything else, only what is gone comes back."""


@dataclass(frozen=True)
class Version:
    """A version of an object, or a mark that it was deleted."""

    key: str
    id: str
    etag: str
    written: datetime
    is_latest: bool
    is_deletion: bool


@dataclass
class Restored:
    """How many objects were brought back, and how many newer ones taken away."""

    back: int = 0
    away: int = 0


def restore(client: "S3Client", bucket: str, moment: datetime) -> Restored:
    """Restore a bucket.

    Args:
        client: boto3 client.
        bucket: Name of the bucket; its versioning must be on.
        moment: When it was as it is to be; S3 knows seconds.

    Raises:
        ValueError: The bucket keeps no versions.
    """
    if client.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise ValueError(f"the bucket {bucket} keeps no versions: there is nothing to go back to")
    done = Restored()
    for key, versions in groupby(_versions(client, bucket), lambda version: version.key):
        every = list(versions)
        now = next(version for version in every if version.is_latest)
        earlier = [version for version in every if version.written <= moment]
        then = max(earlier, key=lambda version: (version.written, version.is_latest), default=None)
        was_there = then is not None and not then.is_deletion
        if then is not None and was_there and then.etag != now.etag and (now.is_deletion or key.startswith(EXACTLY)):
            client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key, "VersionId": then.id})
            done.back += 1
        elif not was_there and not now.is_deletion and key.startswith(EXACTLY):
            client.delete_object(Bucket=bucket, Key=key)
            done.away += 1
    return done


def _versions(client: "S3Client", bucket: str) -> Iterator[Version]:
    """Yield all versions, those of a key together, newest first, as S3 lists them."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = chain(
            (_version(one, is_deletion=False) for one in page.get("Versions", ())),
            (_version(one, is_deletion=True) for one in page.get("DeleteMarkers", ())),
        )
        yield from sorted(found, key=lambda version: version.key)


def _version(entry: Any, *, is_deletion: bool) -> Version:
    etag = "" if is_deletion else entry["ETag"]
    return Version(entry["Key"], entry["VersionId"], etag, entry["LastModified"], entry["IsLatest"], is_deletion)


def main() -> None:
    """Restore the configured bucket to the moment that the command line names."""
    try:
        moment = datetime.fromisoformat(sys.argv[1])
    except (IndexError, ValueError):
        sys.exit("usage: python -m services.history.restore 2026-11-26T09:30:00+08:00")
    if moment.tzinfo is None:
        sys.exit("name the time zone as well, such as 2026-11-26T09:30:00+08:00 or …Z")
    settings = read_settings(HistorySettings)
    try:
        done = restore(S3Store.client(settings), settings.s3_bucket_name, moment.astimezone(UTC))
    except ValueError as error:
        sys.exit(str(error))
    told = f"as of {moment.isoformat()}: {done.back} objects are back, {done.away} newer ones are gone"
    sys.stdout.write(told + "\n")


if __name__ == "__main__":
    main()
