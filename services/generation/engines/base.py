"""Protocols of the generation engines."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from services.generation.background.background import Background, BackgroundRequest, RenderedSet
from services.generation.copy.copy import Copy, CopyRequest

if TYPE_CHECKING:
    from services.generation.engines.set.set_engine import SetEngine


class BackgroundEngine(Protocol):
    """Makes backgrounds. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def generate(self, request: BackgroundRequest) -> Background | RenderedSet:
        """Make a background, or say what to render when the ads are composed."""


class CopyEngine(Protocol):
    """Writes copy. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def write(self, request: CopyRequest) -> Copy:
        """Write the copy."""


@dataclass(frozen=True)
class Engines:
    """Engines selected at start."""

    cloud: BackgroundEngine | None
    """Makes backgrounds, unless sets are rendered."""
    sets: "SetEngine | None"
    copy: CopyEngine

    @property
    def background(self) -> BackgroundEngine:
        """The background engine: a cloud's or that of the sets."""
        engine = self.cloud or self.sets
        assert engine is not None, "one of them is loaded"  # noqa: S101
        return engine
