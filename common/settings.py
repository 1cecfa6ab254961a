"""Settings shared by every process. Each process adds its own under its own prefix."""

import sys
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

Settings = TypeVar("Settings", bound=BaseSettings)
NoneIfEmpty = BeforeValidator(lambda given: None if given == "" else given)
"""A variable that is set to nothing, as containers do, counts as unset."""
Secret = Annotated[SecretStr | None, NoneIfEmpty]
Address = Annotated[str | None, NoneIfEmpty]


def read_settings(kind: type[Settings]) -> Settings:
    """Read the settings of a process.

    Raises:
        SystemExit: A setting is invalid: one line per setting says why, without its value.
    """
    try:
        return kind()
    except ValidationError as failure:
        problems = [f"{_variable(kind, *one['loc'][:1])}: {_text(one['msg'])}" for one in failure.errors()]
    except SettingsError as failure:  # malformed JSON
        problems = [str(failure)]
    sys.exit("\n".join(["cannot start: check these settings, in the environment or in .env", *problems]))


def _text(message: str) -> str:
    """Return what a validator of ours says, without the words that pydantic puts in front of it."""
    return message.removeprefix("Value error, ")


def _variable(kind: type[BaseSettings], name: str | int = "*") -> str:
    """Return the environment variable of a field; fields with an alias are named by it already."""
    is_field = name == "*" or name in kind.model_fields
    return f"{kind.model_config['env_prefix']}{name}".upper() if is_field else str(name)


class LogSettings(BaseSettings):
    """Logging."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Minimum level to log.")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="Log format: json for machines, console for people. auto: console on a terminal."
    )


class MetricsSettings(BaseSettings):
    """Prometheus metrics."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    metrics_host: str = Field("127.0.0.1", description="Address to serve metrics on; 0.0.0.0 in a container.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port on which Prometheus reads /metrics. Unset: metrics are not served."
    )


class TraceSettings(BaseSettings):
    """OpenTelemetry traces."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    traces_endpoint: str | None = Field(
        None,
        description="OTLP/gRPC endpoint of an OpenTelemetry collector, such as http://collector:4317. Unset: tracing is"
        " off. An unreachable collector does not affect requests.",
    )


class ImageLimits(BaseSettings):
    """Limits for pictures."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    max_image_bytes: int = Field(20 * 2**20, gt=0, description="Maximum size of a picture file, in bytes.")
    max_image_pixels: int = Field(
        50_000_000, gt=0, le=89_000_000, description="Maximum number of pixels (width times height) of a picture."
    )


class TlsSettings(BaseSettings):
    """Mutual TLS between our processes. Unset: plaintext."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    tls_ca: Path | None = Field(None, description="PEM file: certificate of the authority that signs all others.")
    tls_certificate: Path | None = Field(None, description="PEM file: certificate of this process.")
    tls_key: Path | None = Field(None, description="PEM file: private key of the certificate.")

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [path is not None for path in (self.tls_ca, self.tls_certificate, self.tls_key)]
        if any(given) and not all(given):
            raise ValueError("TLS needs all of TLS_CA, TLS_CERTIFICATE and TLS_KEY")
        return self


class ClientSettings(TlsSettings):
    """Connections to services."""

    max_message_bytes: int = Field(64 * 2**20, gt=0, description="Maximum size of a gRPC message, in bytes.")
    keepalive_seconds: float = Field(30, gt=0, description="Interval between probes of an idle connection, in seconds.")
    retry_attempts: int = Field(
        4, ge=2, le=5, description="Attempts per call, the first included, while a service is unavailable."
    )


class ServiceSettings(LogSettings, MetricsSettings, TraceSettings, ImageLimits, TlsSettings):
    """A gRPC service. Subclasses set `env_prefix`."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 or [::] in a container.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    max_message_bytes: int = Field(64 * 2**20, gt=0, description="Maximum size of a gRPC message, in bytes.")
    max_concurrent_rpcs: int = Field(
        64, gt=0, description="Maximum concurrent calls, queued ones included. Further calls are rejected."
    )
    workers: int = Field(2, gt=0, description="Threads for blocking work: models, codecs, storage.")
    threads: int | None = Field(
        None,
        gt=0,
        description="Threads that one job may compute with. Unset: OMP_NUM_THREADS if that is set, else as many as"
        " there are CPUs for this process, by the quota of its container.",
    )
    queue_size: int = Field(
        16, ge=0, description="Blocking jobs that may wait for a thread. Further jobs are rejected."
    )
    max_pixels_in_flight: int = Field(
        60_000_000,
        gt=0,
        description="Pixels of pictures that are worked on at a time; further jobs wait. Each takes up to 40 bytes of"
        " memory, beside what the process takes anyway.",
    )
    max_deadline_seconds: float = Field(
        300, gt=0, description="Maximum duration of a call, whatever deadline its caller sets, in seconds."
    )
    reflection: bool = Field(False, description="Serve gRPC reflection, for tools such as grpcurl.")
    check_seconds: float = Field(
        10, gt=0, description="Interval of checks of what the service needs to serve, in seconds."
    )
    keepalive_min_seconds: float = Field(
        10, gt=0, description="Minimum interval at which callers may probe an idle connection, in seconds."
    )
    max_connection_age_seconds: float = Field(
        300, gt=0, description="Maximum age of a connection, so that new replicas get their share, in seconds."
    )
    stop_wait_seconds: float = Field(
        2, ge=0, description="Time after SIGTERM during which calls are still accepted while health fails, in seconds."
    )
    stop_grace_seconds: float = Field(
        30, ge=0, description="Time for calls in progress to finish after that, in seconds."
    )

    @model_validator(mode="after")
    def _check_pixels(self) -> Self:
        if self.max_pixels_in_flight < self.max_image_pixels:
            raise ValueError("MAX_PIXELS_IN_FLIGHT must be at least MAX_IMAGE_PIXELS: a single picture has to fit")
        return self


class ModelSettings(ServiceSettings):
    """A service that runs models with torch."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Device for the models. auto: CUDA if available."
    )
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="Precision of the bulk of each model. auto: bfloat16 where the device is fast in it."
    )
    weights_dir: Path = Field(Path("weights"), description="Folder with the model weights.")
