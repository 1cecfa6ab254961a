"""Ports of the five processes on this machine."""

import socket
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]
"""Working folder of the processes: their .env, weights/ and var/ are here."""


class LocalError(Exception):
    """The processes could not be started, or one of them ended. The text is one line."""


class _PortSettings(BaseSettings):
    """Ports as the processes read them from the environment or from .env; the defaults are theirs."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore")

    gateway: int = Field(8000, validation_alias="GATEWAY_PORT")
    segmentation: int = Field(50051, validation_alias="SEGMENTATION_PORT")
    inpainting: int = Field(50052, validation_alias="INPAINTING_PORT")
    generation: int = Field(50053, validation_alias="GENERATION_PORT")
    history: int = Field(50054, validation_alias="HISTORY_PORT")


@dataclass(frozen=True)
class Ports:
    """Port of each process."""

    gateway: int
    segmentation: int
    inpainting: int
    generation: int
    history: int

    @classmethod
    def free(cls) -> "Ports":
        """Pick ports that nothing listens on."""
        listeners = [socket.create_server((HOST, 0)) for _ in range(5)]
        ports = [listener.getsockname()[1] for listener in listeners]
        for listener in listeners:
            listener.close()
        return cls(*ports)

    @classmethod
    def of_settings(cls) -> "Ports":
        """Return the configured ports: 8000 and 50051 to 50054 by default."""
        return cls(**_PortSettings().model_dump())

    def check_free(self) -> None:
        """Check that nothing listens on any of them.

        Raises:
            LocalError: Something does.
        """
        for name, port in vars(self).items():
            try:
                socket.create_server((HOST, port)).close()
            except OSError:
                raise LocalError(f"port {port} ({name}) is taken: stop what uses it first") from None


def is_taken(port: int) -> bool:
    """Return whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
