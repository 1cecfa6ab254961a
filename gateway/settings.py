"""Settings of the gateway."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

import limits
from pydantic import Field, SecretStr, field_validator, model_validator
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
    allowed_hosts: list[str] = Field(
        [],
        description="Host names under which the gateway is reached, as a JSON list; others are refused with 421. Empty:"
        " any name if API keys are configured; otherwise localhost, IP addresses, and names without a dot.",
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
    published: str = Field(
        "",
        description="Address under which a container's port is published, as HOST:PORT. Empty: the address it listens"
        " on.",
    )
    open_to_anyone: bool = Field(
        False,
        description="Start without API keys although other machines can reach the gateway, because something else keeps"
        " strangers out.",
    )
    budgets: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {},
        description="What each key may spend on models in clouds in a day (UTC), in dollars, as a JSON object from the"
        " name of a caller; * stands for every other one. Empty: no limits.",
    )
    rate_limit: str = Field("600/minute", description="Rate limit per API key, such as 10/second or 600/minute.")
    counters_url: SecretStr = Field(
        SecretStr(""),
        description="Valkey or Redis in which all gateways count rates, budgets and generations together:"
        " valkey://HOST:6379, or valkeys:// with TLS. Empty, or while it is away: each gateway counts alone.",
    )
    max_generations: int = Field(
        6, gt=0, description="Maximum concurrent generations. Further requests are rejected with 429 and Retry-After."
    )
    max_generations_together: int = Field(
        0,
        ge=0,
        description="Maximum concurrent generations of all gateways that share GATEWAY_COUNTERS_URL. 0: what each"
        " allows, times their number.",
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
    max_downloads: int = Field(
        16,
        gt=0,
        description="Maximum concurrent reads of pictures, histories and archives. Further ones are rejected with 429.",
    )
    max_share: float = Field(
        0.75,
        gt=0,
        le=1,
        description="Part of each of these maxima that one caller (an API key, or an address without keys) may take, so"
        " that nobody takes all.",
    )
    max_connections: int = Field(
        1000,
        gt=0,
        description="Maximum open connections. Further requests are rejected with 503, if no idle one can be closed.",
    )
    idle_seconds: int = Field(
        75,
        gt=0,
        description="Time after which an idle connection is closed, in seconds. Keep it longer than proxies in front"
        " keep theirs (nginx and AWS: 60); otherwise one sends a request now and then on a connection that is closing.",
    )
    max_head_bytes: int = Field(
        32 * 2**10, ge=2**10, description="Maximum size of a request's line and headers, in bytes; more gets 431."
    )
    max_headers: int = Field(100, gt=0, description="Maximum number of headers of a request; more gets 431.")
    max_form_parts: int = Field(100, gt=0, description="Maximum number of texts and files in a form; more gets 400.")
    max_json_bytes: int = Field(256 * 2**10, gt=0, description="Maximum size of a JSON body, in bytes.")
    max_list_bytes: int = Field(5 * 2**20, gt=0, description="Maximum size of a list of users, in bytes.")
    least_bytes_per_second: int = Field(
        16 * 2**10,
        gt=0,
        description="Least rate at which bodies are sent and responses are read, after the idle timeout; slower callers"
        " are disconnected.",
    )
    silence_seconds: float = Field(
        15, gt=0, description="Idle timeout while receiving a request or sending a response, in seconds."
    )
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
    composition_deadline_seconds: float = Field(
        150, gt=0, description="Deadline of the composition stage, which renders the sets, in seconds."
    )
    history_deadline_seconds: float = Field(
        30, gt=0, description="Deadline of one call to the history service, in seconds."
    )
    static_delivery: Literal["stream", "redirect"] = Field(
        "stream",
        description="Delivery of pictures: streamed through the gateway, or redirected to a pre-signed S3 URL (still"
        " streamed if the history is on disk).",
    )
    picture_cache_bytes: int = Field(64 * 2**20, ge=0, description="Size of the in-memory picture cache, in bytes.")
    picture_cache_seconds: float = Field(
        60, gt=0, description="Time after which a cached picture is read again, in seconds: it may have been deleted."
    )
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
    seed: int | None = Field(
        None,
        ge=0,
        description="Seed of the seeds of generations, for tests: the same requests in order give the same ads."
        " Unset: every generation has a random one.",
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

    @field_validator("counters_url")
    @classmethod
    def _check_counters(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value() and not re.match(r"(valkey|redis)s?://[^/]", url.get_secret_value()):
            raise ValueError("give the URL of a Valkey or Redis, such as valkey://valkey:6379")
        return url

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: list[str]) -> list[str]:
        wrong = [origin for origin in origins if not re.fullmatch(r"https?://[^/\s]+|\*", origin)]
        if wrong:
            raise ValueError(f"an origin is a scheme and a host, such as https://ads.example.com, not {wrong[0]}")
        return origins

    @model_validator(mode="after")
    def _check_openness(self) -> Self:
        host = self.published.rpartition(":")[0].strip("[]") or self.host
        if not (self.api_keys or self.open_to_anyone or is_loopback(host)):
            raise ValueError(
                f"other machines can reach {host}, and there are no API keys: set GATEWAY_API_KEYS (`python -m"
                " gateway.api_keys NAME` makes one), or GATEWAY_OPEN_TO_ANYONE=true if something else keeps strangers"
                " out"
            )
        return self

    @property
    def max_form_bytes(self) -> int:
        """Maximum size of a form: a picture and the fields beside it."""
        return self.max_image_bytes + 2**20


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"
