"""Protocols of the generation engines."""

from dataclasses import dataclass
from typing import Protocol

from services.generation.audience import Audience, Product
from services.generation.background.background import Background, BackgroundRequest
from services.generation.copy.copy import Copy


class BackgroundEngine(Protocol):
    """Makes backgrounds. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def generate(self, request: BackgroundRequest) -> Background:
        """Make a background."""


class CopyEngine(Protocol):
    """Writes copy. Thread-safe."""

    @property
    def name(self) -> str:
        """Name in responses and records."""

    def write(self, product: Product, audience: Audience, locale: str) -> Copy:
        """Write the short and the long copy in one of LOCALES."""


@dataclass(frozen=True)
class Engines:
    """Engines selected at start."""

    background: BackgroundEngine
    copy: CopyEngine
