"""Settings of the gateway."""

import re
from pathlib import Path
from typing import Literal

import limits
from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from common.settings import ClientSettings, ImageLimits, LogSettings, MetricsSettings, TraceSettings

DATA = Path(__file__).parent / "data"


class GatewaySettings(LogSettings, MetricsSettings, TraceSettings, ImageLimits, ClientSettings):
    """Read from GATEWAY_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_file=".env", extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 in a container.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    cors_origins: list[str] = Field(
        ["http://localhost:3000", "http://localhost:3001", "http://127.0.0.1:3000", "http://127.0.0.1:3001"],
        description="Allowed CORS origins, as a JSON list.",
    )
    segmentation_target: str = Field("dns:///127.0.0.1:50051", description="gRPC target of the segmentation service.")
    inpainting_target: str = Field("dns:///127.0.0.1:50052", description="gRPC target of the inpainting service.")
    generation_target: str = Field("dns:///127.0.0.1:50053", description="gRPC target of the generation service.")
    history_target: str = Field("dns:///127.0.0.1:50054", description="gRPC target of the history service.")
    api_keys: dict[str, str] = Field(
        {},
        description="API keys, as a JSON object from the name of a caller to the SHA-256 of its key in hexadecimal;"
        " `python -m gateway.api_keys NAME` makes one. Empty: anyone who can reach the gateway can use the API.",
    )
    rate_limit: str = Field(
        "600/minute", description="Rate limit per API key and replica, such as 10/second or 600/minute."
    )
    max_generations: int = Field(
        6, gt=0, description="Maximum concurrent generations. Further requests are rejected with 429 and Retry-After."
    )
    max_uploads: int = Field(
        4,
        gt=0,
        description="Maximum concurrent uploads of photos and of user lists. Further requests are rejected with 429.",
    )
    max_receiving: int = Field(
        32,
        gt=0,
        description="Maximum uploads and generations whose bodies are still arriving. Further requests are rejected"
        " with 429.",
    )
    silence_seconds: float = Field(15, gt=0, description="Idle timeout while receiving a request, in seconds.")
    body_seconds: float = Field(180, gt=0, description="Timeout for receiving the body of a request, in seconds.")
    request_deadline_seconds: float = Field(
        240, gt=0, description="Deadline of a whole upload or generation, in seconds; each stage gets what remains."
    )
    cut_out_deadline_seconds: float = Field(120, gt=0, description="Deadline of the cut-out stage, in seconds.")
    copy_deadline_seconds: float = Field(60, gt=0, description="Deadline of the copy stage, in seconds.")
    background_deadline_seconds: float = Field(150, gt=0, description="Deadline for making one background, in seconds.")
    object_finding_deadline_seconds: float = Field(
        90, gt=0, description="Deadline for finding the objects in one background, in seconds."
    )
    inpainting_deadline_seconds: float = Field(
        90, gt=0, description="Deadline for removing objects from one background, in seconds."
    )
    composition_deadline_seconds: float = Field(60, gt=0, description="Deadline of the composition stage, in seconds.")
    history_deadline_seconds: float = Field(
        30, gt=0, description="Deadline of one call to the history service, in seconds."
    )
    static_delivery: Literal["stream", "redirect"] = Field(
        "stream",
        description="Delivery of pictures: streamed through the gateway, or redirected to a pre-signed S3 URL (still"
        " streamed if the history is on disk).",
    )
    picture_cache_bytes: int = Field(64 * 2**20, ge=0, description="Size of the in-memory picture cache, in bytes.")
    download_deadline_seconds: float = Field(
        600, gt=0, description="Deadline for a caller to read a picture or the history, in seconds."
    )
    keep_alive_seconds: float = Field(
        10, gt=0, description="Interval between server-sent-event keep-alives, in seconds."
    )
    stop_grace_seconds: int = Field(
        30, ge=0, description="Time for requests in progress to finish after SIGTERM, in seconds."
    )
    ready_deadline_seconds: float = Field(2, gt=0, description="Deadline of a health check of a service, in seconds.")
    workers: int = Field(2, gt=0, description="Threads for blocking work: checking pictures, reading CSV files.")
    queue_size: int = Field(
        32, ge=0, description="Blocking jobs that may wait for a thread. Further jobs are rejected."
    )
    backgrounds: Literal["per_aspect", "square"] = Field(
        "per_aspect",
        description="Backgrounds per generation: one per aspect-ratio family of its sizes, or one square background"
        " from which all sizes are cropped, which halves the price of the default sizes.",
    )
    regenerations: int = Field(
        1,
        ge=0,
        le=5,
        description="Retries with a new seed while an ad has a flaw: a product with little contrast, or shown too"
        " small. Each retry costs as much as the first attempt.",
    )
    audience_file: Path = Field(DATA / "audience.toml", description="TOML file with the audience tags.")
    users_file: Path = Field(DATA / "users.csv", description="CSV file with users and their tags, to count audiences.")

    @field_validator("api_keys")
    @classmethod
    def _check_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        if not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in keys.values()):
            raise ValueError("give the SHA-256 of each key in hex, never the key: `python -m gateway.api_keys NAME`")
        return keys

    @field_validator("rate_limit")
    @classmethod
    def _check_rate(cls, rate: str) -> str:
        limits.parse(rate)
        return rate

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: list[str]) -> list[str]:
        wrong = [origin for origin in origins if not re.fullmatch(r"https?://[^/\s]+|\*", origin)]
        if wrong:
            raise ValueError(f"an origin is a scheme and a host, such as https://ads.example.com, not {wrong[0]}")
        return origins

    @property
    def max_body_bytes(self) -> int:
        """Maximum size of a request: a picture and the fields beside it."""
        return self.max_image_bytes + 2**20
