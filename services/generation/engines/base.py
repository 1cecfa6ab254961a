"""Protocols of the generation engines."""

from dataclasses import dataclass
from datetime import date
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

    @property
    def dollars_per_picture(self) -> float:
        """Price of a background, as far as it is known; 0 if it costs nothing."""

    def generate(self, request: BackgroundRequest) -> Background | RenderedSet:
        """Make a background, or say what to render when the ads are composed."""

    def ask_end(self) -> date | None:
        """Ask the vendor on which day the model ends; None if that is not announced. May raise anything."""


class CopyEngine(Protocol):
    """Writes copy. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def estimate(self, request: CopyRequest) -> float:
        """Return what the copy will cost in dollars, as far as prices are known, if it need not be corrected."""

    def write(self, request: CopyRequest) -> Copy:
        """Write the copy."""

    def ask_end(self) -> date | None:
        """Ask the vendor on which day the model ends; None if that is not announced. May raise anything."""


@dataclass(frozen=True)
class Engines:
    """Engines selected at start.

    Attributes:
        background: Makes backgrounds.
        sets: Renders sets, unless nothing but an image model makes backgrounds.
        copy: Writes copy.
    """

    background: BackgroundEngine
    sets: "SetEngine | None"
    copy: CopyEngine
