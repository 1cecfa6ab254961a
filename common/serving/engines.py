"""Engines: which ones a process selected at start, and what surrounds their work."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from prometheus_client import Histogram

from common.models.weights import sha256_of
from common.observability.metrics import SECONDS
from common.observability.tracing import span
from common.serving.readiness import Watch
from productimage.engine.v1 import engine_pb2, engine_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

log = structlog.get_logger()

ENGINE_SECONDS = Histogram(
    "productimage_engine_seconds",
    "Time that engines worked, without decoding and encoding pictures.",
    ["capability", "engine"],
    buckets=SECONDS,
)


class Reason(Enum):
    """Why an engine was selected."""

    REQUESTED = engine_pb2.REASON_REQUESTED
    AVAILABLE = engine_pb2.REASON_AVAILABLE
    FALLBACK = engine_pb2.REASON_FALLBACK


@dataclass(frozen=True)
class Choice:
    """A selected engine.

    Attributes:
        capability: What it does, such as "cut_out".
        engine: Name, as records show it.
        reason: Why it was selected.
        subject: The setting or file behind the reason.
        remedy: Command or setting that enables a better engine; empty if there is none.
        ends: Day on which its model ends, as YYYY-MM-DD; empty if none is known.
    """

    capability: str
    engine: str
    reason: Reason
    subject: str
    remedy: str = ""
    ends: str = ""


class EngineRegistry:
    """The engines that a process selected, by capability. Filled once, at start.

    Attributes:
        room: Tells the bytes left for what the process stores; None if it stores nothing, or without a limit.
    """

    def __init__(self) -> None:
        self.room: Callable[[], int | None] = lambda: None
        self._choices: dict[str, Choice] = {}
        self._facts: dict[str, str] = {}

    def report_choice(self, choice: Choice) -> None:
        """Log a choice and list it in `EngineService`."""
        self._choices[choice.capability] = choice
        reason = choice.reason.name.lower()
        log.info(
            "engine",
            capability=choice.capability,
            engine=choice.engine,
            reason=reason,
            subject=choice.subject,
            better=choice.remedy or None,
        )

    def note_facts(self, *, weights: Iterable[Path] = (), packages: Iterable[str] = ()) -> None:
        """Note what results depend on beside their seeds: the digests of weights, and the versions of libraries."""
        self._facts |= {path.name: sha256_of(path) for path in weights}
        self._facts |= {package: version(package) for package in packages}

    @property
    def facts(self) -> Mapping[str, str]:
        """What results depend on: name of a file or a library to digest or version."""
        return self._facts

    def note_end(self, capability: str, ends: str) -> None:
        """Note the day on which the model behind a capability ends."""
        self._choices[capability] = replace(self._choices[capability], ends=ends)

    @property
    def choices(self) -> list[Choice]:
        """Every choice, in the order in which they were made."""
        return list(self._choices.values())


class EngineServicer(engine_pb2_grpc.EngineServiceServicer):
    """See engine.proto."""

    def __init__(self, engines: EngineRegistry, watch: Watch) -> None:
        self._engines = engines
        self._watch = watch

    async def ListEngines(  # noqa: N802
        self, _request: engine_pb2.ListEnginesRequest, _context: "Context"
    ) -> engine_pb2.ListEnginesResponse:
        """See engine.proto."""
        return engine_pb2.ListEnginesResponse(
            engines=[
                engine_pb2.Engine(
                    capability=choice.capability,
                    name=choice.engine,
                    reason=choice.reason.value,
                    subject=choice.subject,
                    remedy=choice.remedy,
                    facts=self._engines.facts,
                    ends=choice.ends,
                )
                for choice in self._engines.choices
            ],
            problems=[
                engine_pb2.Problem(subject=problem.subject, detail=problem.detail, remedy=problem.remedy)
                for problem in self._watch.problems
            ],
            free_bytes=self._engines.room(),
        )


@contextmanager
def observe_engine(capability: str, engine: str) -> Iterator[None]:
    """Measure and trace the work of an engine.

    Args:
        capability: What it does, such as "cut_out".
        engine: Name, as records show it.
    """
    start = time.perf_counter()
    with span(f"engine {engine}", capability=capability):
        try:
            yield
        finally:
            ENGINE_SECONDS.labels(capability, engine).observe(time.perf_counter() - start)
