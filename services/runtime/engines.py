"""Engines: which ones a process has chosen, and what happens around their work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import grpc
import structlog
from prometheus_client import Histogram

from productimage.engine.v1 import engine_pb2, engine_pb2_grpc
from services.runtime.metrics import SECONDS
from services.runtime.tracing import span

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()

ENGINE_SECONDS = Histogram(
    "productimage_engine_seconds",
    "How long engines worked, without reading and writing pictures.",
    ["capability", "engine"],
    buckets=SECONDS,
)

Reason = Literal["asked for", "found", "lacking"]
_REASONS = {
    "asked for": engine_pb2.REASON_ASKED_FOR,
    "found": engine_pb2.REASON_FOUND,
    "lacking": engine_pb2.REASON_LACKING,
}


@dataclass(frozen=True)
class Choice:
    """An engine that was chosen.

    Attributes:
        capability: What it is good for, such as "cut_out".
        engine: Its name, as records have it.
        reason: Why it and no other.
        subject: What was asked for, found or lacking: a setting, or files.
        remedy: A command or a setting that gives a better engine; empty: there is none.
    """

    capability: str
    engine: str
    reason: Reason
    subject: str
    remedy: str = ""


_choices: dict[str, Choice] = {}
"""Of this process, by capability: engines are chosen once, when it starts."""


def announce(choice: Choice) -> None:
    """Tell the log, and whoever asks `EngineService`, what was chosen."""
    _choices[choice.capability] = choice
    why = f"{choice.reason}: {choice.subject}"
    log.info("engine", capability=choice.capability, engine=choice.engine, why=why, better=choice.remedy or None)


class EngineServicer(engine_pb2_grpc.EngineServiceServicer):
    """The service; see engine.proto."""

    async def ListEngines(  # noqa: N802
        self, _request: engine_pb2.ListEnginesRequest, _context: "Context"
    ) -> engine_pb2.ListEnginesResponse:
        """See engine.proto."""
        return engine_pb2.ListEnginesResponse(
            engines=[
                engine_pb2.Engine(
                    capability=choice.capability,
                    name=choice.engine,
                    reason=_REASONS[choice.reason],
                    subject=choice.subject,
                    remedy=choice.remedy,
                )
                for choice in _choices.values()
            ]
        )


@contextmanager
def at_work(capability: str, engine: str) -> Iterator[None]:
    """Let an engine work inside.

    Args:
        capability: What it is good for, such as "cut_out".
        engine: Its name, as records have it.
    """
    start = time.perf_counter()
    with span(f"engine {engine}", capability=capability):
        try:
            yield
        finally:
            ENGINE_SECONDS.labels(capability, engine).observe(time.perf_counter() - start)
