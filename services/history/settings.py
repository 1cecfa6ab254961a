"""Settings of the history service."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from common.aws import AwsSettings
from common.settings import ServiceSettings


class HistorySettings(ServiceSettings, AwsSettings):
    """Read from HISTORY_* in the environment or in .env, and from the names that AWS users already have."""

    model_config = SettingsConfigDict(env_prefix="HISTORY_", env_file=".env", extra="ignore", populate_by_name=True)

    port: int = Field(50054, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    workers: int = Field(8, gt=0, description="Threads for work on the store.")
    queue_size: int = Field(32, ge=0, description="Jobs that may wait for a thread. Further jobs are rejected.")
    store: Literal["auto", "s3", "disk"] = Field(
        "auto", description="Object store. auto: S3 if S3_BUCKET_NAME is set, else the disk."
    )
    disk_dir: Path = Field(Path("var"), description="Folder of the disk store.")
    stale_after_seconds: float = Field(
        3600,
        gt=0,
        description="Grace period of an upload without a result, in seconds; longer than any request takes.",
    )
    sweep_seconds: float = Field(
        300,
        gt=0,
        description="Interval at which stale uploads and forgotten requests are removed, by one process of all, in"
        " seconds.",
    )
    min_free_bytes: int = Field(
        256 * 2**20, ge=0, description="Room on the disk below which the service is not ready, in bytes."
    )
    max_downloads: int = Field(
        32,
        gt=0,
        description="Pictures and histories that are read at a time; beside them, all other calls have their places."
        " Further ones are rejected, and those admitted end whole.",
    )
    download_workers: int = Field(4, gt=0, description="Threads that read for downloads.")
    lease_seconds: float = Field(
        600,
        gt=0,
        description="Time a request with an Idempotency-Key may be worked on before it can be claimed again, in"
        " seconds, by a caller that does not renew its claim, as gateways of release 0.2.",
    )
    renewed_lease_seconds: float = Field(
        30,
        gt=0,
        description="The same for callers that renew their claims: time after which a gateway that does not counts as"
        " dead. They renew them three times as often.",
    )
    claims_kept_seconds: float = Field(
        86_400,
        gt=0,
        description="Time for which a repeated request returns the original result, in seconds.",
    )
    append_attempts: int = Field(
        200, gt=0, description="Attempts per append while other processes write too, within 20 seconds."
    )
    signed_seconds: int = Field(3600, gt=0, le=604_800, description="Validity of a pre-signed URL, in seconds.")
    s3_bucket_name: str = Field("", validation_alias="S3_BUCKET_NAME", description="Bucket of the S3 store.")
    s3_endpoint_url: str | None = Field(
        None, validation_alias="S3_ENDPOINT_URL", description="Endpoint of an S3-compatible store. Unset: Amazon S3."
    )
    s3_timeout_seconds: float = Field(
        30, gt=0, description="Timeout of one S3 request, in seconds; a request is attempted three times."
    )

    @model_validator(mode="after")
    def _check_places(self) -> Self:
        if self.max_downloads >= self.max_concurrent_rpcs:
            raise ValueError(
                "HISTORY_MAX_DOWNLOADS must be below HISTORY_MAX_CONCURRENT_RPCS: other calls need places as well"
            )
        return self

    s3_region: str | None = Field(
        None, validation_alias="S3_REGION", description="Region of the bucket, if the environment does not say."
    )
