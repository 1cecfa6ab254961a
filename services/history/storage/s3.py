"""The S3 store: one bucket, keys unchanged, conditional writes with If-Match and If-None-Match.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.aws import aws_session
from common.errors import StartError, UnavailableError
from services.history.settings import HistorySettings
from services.history.storage.base import (
    MAX_BYTES,
    ConflictError,
    Listed,
    ObjectNotFoundError,
    OpenObject,
    StoredObject,
    TooLargeError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK = 1 << 18
DELETE_BATCH = 1000
MISSING = {"NoSuchKey", "404", "NotFound"}
CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
"""Amazon S3 is never full; compatible stores are."""


class S3Store:
    """A bucket.

    Args:
        client: boto3 client; thread-safe.
        bucket: Name of the bucket.
    """

    name = "s3"

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def connect(cls, settings: HistorySettings) -> "S3Store":
        """Connect to the configured bucket.

        Raises:
            StartError: The bucket cannot be used; the text says why.
        """
        client = cls.client(settings)
        try:
            client.head_bucket(Bucket=settings.s3_bucket_name)
        except (ClientError, BotoCoreError) as error:
            raise StartError(f"bucket {settings.s3_bucket_name} (S3_BUCKET_NAME) cannot be used: {error}") from None
        return cls(client, settings.s3_bucket_name)

    @staticmethod
    def client(settings: HistorySettings) -> "S3Client":
        """Create a client as configured, without sending a request."""
        return aws_session(settings).client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=settings.s3_region,
            config=Config(
                connect_timeout=min(5, settings.s3_timeout_seconds),
                read_timeout=settings.s3_timeout_seconds,
                max_pool_connections=settings.workers + settings.max_downloads,
                signature_version="s3v4",
                s3={"us_east_1_regional_endpoint": "regional"},
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> StoredObject:
        """See ObjectStore."""
        answer = self._get(key)
        with closing(answer["Body"]) as body:
            if answer["ContentLength"] > max_bytes:
                raise TooLargeError(key)
            data = b"".join(_translated_chunks(body.iter_chunks(CHUNK), key))
        return StoredObject(data, answer["ETag"].strip('"'), _age(answer["LastModified"], answer))

    @contextmanager
    def open(self, key: str) -> Iterator[OpenObject]:
        """See ObjectStore."""
        answer = self._get(key)
        with closing(answer["Body"]) as body:
            chunks = _translated_chunks(body.iter_chunks(CHUNK), key)
            yield OpenObject(chunks, answer["ETag"].strip('"'), answer["ContentLength"])

    def _get(self, key: str) -> "GetObjectOutputTypeDef":
        with _translated(key, MISSING, ObjectNotFoundError):
            return self._client.get_object(Bucket=self._bucket, Key=key)

    def sign(self, key: str, valid_seconds: int) -> str:
        """See ObjectStore. Pre-signed for the region of the bucket: a browser would not follow S3 from one to another.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html
        """
        with _translated(key, MISSING, ObjectNotFoundError):
            self._client.head_object(Bucket=self._bucket, Key=key)
        return self._client.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=valid_seconds
        )

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        self._put(key, data, content_type, {})

    def create(self, key: str, data: bytes, content_type: str) -> None:
        """See ObjectStore."""
        self._put(key, data, content_type, {"IfNoneMatch": "*"})

    def replace(self, key: str, data: bytes, content_type: str, etag: str) -> None:
        """See ObjectStore.

        Amazon accepts an ETag with or without its quotes; compatible stores may accept only one of the two.
        """
        for tag in (etag, f'"{etag}"'):
            try:
                return self._put(key, data, content_type, {"IfMatch": tag})
            except ConflictError:
                if self._etag(key) != etag:
                    raise
        raise ConflictError(key)

    def _etag(self, key: str) -> str | None:
        try:
            with _translated(key, MISSING, ObjectNotFoundError):
                return self._client.head_object(Bucket=self._bucket, Key=key)["ETag"].strip('"')
        except ObjectNotFoundError:
            return None

    def _put(self, key: str, data: bytes, content_type: str, condition: dict[str, Any]) -> None:
        # S3 responds with 404 to a condition on an object that is gone.
        with _translated(key, CONFLICTS | MISSING if condition else set(), ConflictError):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, **condition)

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore."""
        wanted = list(keys)
        for start in range(0, len(wanted), DELETE_BATCH):
            batch = wanted[start : start + DELETE_BATCH]
            with _translated(batch[0]):
                self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )

    def list(self, prefix: str) -> Iterator[Listed]:
        """See ObjectStore."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with _translated(prefix):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield Listed(item["Key"], _age(item["LastModified"], page), item["ETag"])

    def free_bytes(self) -> None:
        """See ObjectStore. A bucket does not say."""


def _age(written: datetime, answer: "Mapping[str, Any]") -> float:
    """Return the age of an object in seconds, by the clock of the server that answered."""
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
    return (now - written).total_seconds()


def _translated_chunks(chunks: Iterator[bytes], key: str) -> Iterator[bytes]:
    with _translated(key):
        yield from chunks


@contextmanager
def _translated(key: str, codes: Set[str] = frozenset(), meaning: type[Exception] = ConflictError) -> Iterator[None]:
    """Raise `meaning` for these error codes, and UnavailableError, which can be retried, for any other failure."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in codes:
            raise meaning(key) from None
        if code in FULL:
            raise UnavailableError("The storage is full.", "STORAGE_FULL") from error
        raise UnavailableError(f"The storage refused the call ({code}).") from error
    except BotoCoreError as error:
        raise UnavailableError("The storage does not answer.") from error
