"""The settings of the history service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.runtime.aws import AwsSettings
from services.runtime.settings import ServiceSettings


class HistorySettings(ServiceSettings, AwsSettings):
    """Read from HISTORY_* in the environment or in .env, and the names that AWS users already have."""

    model_config = SettingsConfigDict(env_prefix="HISTORY_", env_file=".env", extra="ignore", populate_by_name=True)

    port: int = Field(50054, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(8, gt=0, description="Threads for work on the store.")
    queue_size: int = Field(32, ge=0, description="Work that may wait for a thread; more is refused at once.")
    store: Literal["auto", "s3", "disk"] = Field(
        "auto", description="Where everything is kept; auto: S3 when S3_BUCKET_NAME is set, else the disk."
    )
    disk_dir: Path = Field(Path("var"), description="The folder of the disk store.")
    stale_after_seconds: float = Field(
        3600,
        gt=0,
        description="An upload without a result that nobody touches for so long is removed; more than any call takes.",
    )
    lease_seconds: float = Field(
        600,
        gt=0,
        description="How long a request with a key of its caller's may be worked on; then it may be begun again.",
    )
    claims_kept_seconds: float = Field(
        86_400,
        gt=0,
        description="How long such a request gives its first result again; older ones are forgotten at start.",
    )
    append_attempts: int = Field(12, gt=0, description="How often an append is tried when others write too.")
    signed_seconds: int = Field(
        3600, gt=0, le=604_800, description="How long the pre-signed address of a picture works."
    )
    s3_bucket_name: str = Field("", validation_alias="S3_BUCKET_NAME", description="The bucket of the S3 store.")
    s3_endpoint_url: str | None = Field(
        None, validation_alias="S3_ENDPOINT_URL", description="Where S3 is, when it is not Amazon's."
    )
    s3_timeout_seconds: float = Field(30, gt=0, description="How long S3 may keep us waiting, each of three times.")
    s3_region: str | None = Field(
        None, validation_alias="S3_REGION", description="The bucket's region, when the environment does not say."
    )
