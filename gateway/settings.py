"""The settings of the gateway."""

import re
from pathlib import Path
from typing import Literal

import limits
from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from services.runtime.settings import ChannelSettings, ImageLimits, LogSettings, MetricsSettings, TraceSettings

DATA = Path(__file__).parent / "data"


class GatewaySettings(LogSettings, MetricsSettings, TraceSettings, ImageLimits, ChannelSettings):
    """Read from GATEWAY_* in the environment or in .env."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", env_file=".env", extra="ignore")

    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 in a container.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    cors_origins: list[str] = Field(
        ["http://localhost:3000", "http://localhost:3001", "http://127.0.0.1:3000", "http://127.0.0.1:3001"],
        description="Where frontends are served from, as a JSON list of origins.",
    )
    segmentation_target: str = Field("dns:///127.0.0.1:50051", description="The segmentation service.")
    inpainting_target: str = Field("dns:///127.0.0.1:50052", description="The inpainting service.")
    generation_target: str = Field("dns:///127.0.0.1:50053", description="The generation service.")
    history_target: str = Field("dns:///127.0.0.1:50054", description="The history service.")
    api_keys: dict[str, str] = Field(
        {},
        description="Who may use the API: names, and the SHA-256 of each one's key in hex, as a JSON object; `python -m"
        " gateway.keys NAME` makes one. Empty: everybody who reaches the address.",
    )
    rate_limit: str = Field(
        "600/minute", description="How often each key may be used, in each replica, such as 10/second or 600/minute."
    )
    max_generations: int = Field(
        6, gt=0, description="Generations worked on at one time; more are refused at once, to be sent again later."
    )
    max_uploads: int = Field(
        4, gt=0, description="Uploads of photos, and of lists of users, worked on at one time; more are refused."
    )
    max_receiving: int = Field(
        32, gt=0, description="Uploads and generations whose bodies are still coming; more are refused."
    )
    silence_seconds: float = Field(
        15, gt=0, description="A caller who sends nothing for so long in the middle of a request is cut off."
    )
    body_seconds: float = Field(180, gt=0, description="How long the body of a request may take to come.")
    request_deadline_seconds: float = Field(
        240, gt=0, description="How long an upload or a generation may take as a whole; each stage gets what is left."
    )
    cut_out_deadline_seconds: float = Field(120, gt=0, description="How long cutting the product out may take.")
    copy_deadline_seconds: float = Field(60, gt=0, description="How long writing the words may take.")
    background_deadline_seconds: float = Field(150, gt=0, description="How long making one background may take.")
    object_finding_deadline_seconds: float = Field(
        90, gt=0, description="How long finding what stands in one background may take."
    )
    inpainting_deadline_seconds: float = Field(90, gt=0, description="How long clearing one background may take.")
    composition_deadline_seconds: float = Field(60, gt=0, description="How long composing the ads may take.")
    history_deadline_seconds: float = Field(30, gt=0, description="How long one call to the history may take.")
    static_delivery: Literal["stream", "redirect"] = Field(
        "stream",
        description="How pictures come to callers: through the gateway, or by a redirect to a pre-signed address in S3"
        " (through the gateway still, when the history is on a disk).",
    )
    picture_cache_bytes: int = Field(
        64 * 2**20, ge=0, description="Ads that were asked for lately are kept in memory, up to so many bytes."
    )
    download_deadline_seconds: float = Field(
        600, gt=0, description="How long a caller may take to read a picture or the list; slower ones are cut off."
    )
    keep_alive_seconds: float = Field(
        10, gt=0, description="Between comments that keep an event stream open while nothing else happens."
    )
    stop_grace_seconds: int = Field(30, ge=0, description="After SIGTERM: how long requests under way may take to end.")
    ready_deadline_seconds: float = Field(2, gt=0, description="How long a service may take to say that it is ready.")
    workers: int = Field(2, gt=0, description="Threads for work that blocks: checking pictures, reading CSV files.")
    queue_size: int = Field(32, ge=0, description="Blocking work that may wait for a thread; more is refused at once.")
    backgrounds: Literal["per_aspect", "square"] = Field(
        "per_aspect",
        description="How many backgrounds a generation asks for: one for each family of proportions among its sizes, or"
        " a square one that all are cut from, at half the price of the default sizes' two.",
    )
    regenerations: int = Field(
        1,
        ge=0,
        le=5,
        description="How often backgrounds are made anew, with another seed, when an ad has a flaw: a product that"
        " hardly stands out, or is shown too small. Each time costs as much as the first.",
    )
    clearing_fringe: float = Field(
        0.02,
        ge=0,
        le=0.2,
        description="How far around an object that stands in the product's way its traces are removed with it, as a"
        " part of the picture's longer side; its shadow is found and goes too.",
    )
    audience_file: Path = Field(DATA / "audience.toml", description="The audience tags.")
    users_file: Path = Field(DATA / "users.csv", description="The users and their tags, for counting an audience.")

    @field_validator("api_keys")
    @classmethod
    def _check_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        if not all(re.fullmatch("[0-9a-f]{64}", digest) for digest in keys.values()):
            raise ValueError("give the SHA-256 of each key in hex, never the key: `python -m gateway.keys NAME`")
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
        """The largest request that is read: a picture and the fields beside it."""
        return self.max_image_bytes + 2**20
