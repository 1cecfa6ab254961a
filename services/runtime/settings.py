"""The settings every process has. Each service adds its own under its own prefix."""

import sys
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

Settings = TypeVar("Settings", bound=BaseSettings)


def read_settings(kind: type[Settings]) -> Settings:
    """Read the settings of a process, at its start.

    Raises:
        SystemExit: Some cannot be used: a line for each says why, and never what it holds.
    """
    try:
        return kind()
    except ValidationError as failure:
        problems = [f"{_variable(kind, *one['loc'][:1])}: {one['msg']}" for one in failure.errors()]
    except SettingsError as failure:  # what should be JSON is not
        problems = [str(failure)]
    sys.exit("\n".join(["cannot start: check these settings, in the environment or in .env", *problems]))


def _variable(kind: type[BaseSettings], name: str | int = "*") -> str:
    """Give the name of a setting in the environment; some have one that others gave them."""
    ours = name == "*" or name in kind.model_fields
    return f"{kind.model_config['env_prefix']}{name}".upper() if ours else str(name)


class LogSettings(BaseSettings):
    """How a process logs."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least level that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="json for machines, console for people; auto: console when the output is a terminal."
    )


class MetricsSettings(BaseSettings):
    """Where a process can be watched."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    metrics_host: str = Field("127.0.0.1", description="The address for metrics; 0.0.0.0 in a container.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="The port on which Prometheus reads /metrics; without one, nothing is served."
    )


class TraceSettings(BaseSettings):
    """Where a process tells what it does for which request."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    traces_endpoint: str | None = Field(
        None,
        description="An OpenTelemetry collector that takes OTLP over gRPC, such as http://collector:4317; without one,"
        " nothing is told. A collector that cannot be reached costs requests nothing.",
    )


class ImageLimits(BaseSettings):
    """What pictures a process reads."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    max_image_bytes: int = Field(20 * 2**20, gt=0, description="The largest picture file that is read, in bytes.")
    max_image_pixels: int = Field(
        50_000_000, gt=0, le=89_000_000, description="The most pixels (width times height) a picture may have."
    )


class TlsSettings(BaseSettings):
    """Whom a process trusts, and how it shows who it is; without these, nothing between our processes is encrypted."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    tls_ca: Path | None = Field(None, description="The certificate of the authority that signs all the others, in PEM.")
    tls_certificate: Path | None = Field(None, description="This process's certificate, in PEM.")
    tls_key: Path | None = Field(None, description="The certificate's private key, in PEM.")

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [path is not None for path in (self.tls_ca, self.tls_certificate, self.tls_key)]
        if any(given) and not all(given):
            raise ValueError("TLS needs all of TLS_CA, TLS_CERTIFICATE and TLS_KEY")
        return self


class ChannelSettings(TlsSettings):
    """How a process calls a service."""

    max_message_bytes: int = Field(64 * 2**20, gt=0, description="The largest message that is sent or received.")
    keepalive_seconds: float = Field(30, gt=0, description="How often a quiet connection is probed.")
    default_deadline_seconds: float = Field(60, gt=0, description="The deadline of a call that names none.")
    retry_attempts: int = Field(4, ge=2, le=5, description="How often a call is tried in all when a service is away.")


class ServiceSettings(LogSettings, MetricsSettings, TraceSettings, ImageLimits, TlsSettings):
    """The settings of a gRPC service. Subclasses set `env_prefix`."""

    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 or [::] in a container.")
    port: int = Field(0, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    max_message_bytes: int = Field(64 * 2**20, gt=0, description="The largest message that is sent or received.")
    max_concurrent_rpcs: int = Field(
        64, gt=0, description="Calls served at one time, waiting ones included; more are refused at once."
    )
    workers: int = Field(2, gt=0, description="Threads for work that blocks: models, codecs, storage.")
    queue_size: int = Field(16, ge=0, description="Blocking work that may wait for a thread; more is refused at once.")
    max_deadline_seconds: float = Field(
        300, gt=0, description="The longest a call may take, also when its caller sets a longer deadline or none."
    )
    reflection: bool = Field(True, description="Whether tools such as grpcurl may ask for the API.")
    keepalive_min_seconds: float = Field(10, gt=0, description="Callers may probe a quiet connection this often.")
    max_connection_age_seconds: float = Field(
        300, gt=0, description="Connections are renewed this often, so that new replicas get their share."
    )
    stop_wait_seconds: float = Field(
        2, ge=0, description="After SIGTERM: how long calls are still taken while the health check says no."
    )
    stop_grace_seconds: float = Field(
        30, ge=0, description="After that wait: how long calls under way may take to end."
    )


class ModelSettings(ServiceSettings):
    """The settings of a service that runs models with torch."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where the models run; auto: CUDA if it is there."
    )
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="What the bulk of the models runs in; auto: bfloat16 where the device is fast in it."
    )
