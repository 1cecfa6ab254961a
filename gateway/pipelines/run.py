"""A run: everything a pipeline needs for one request, and what it records on the way."""

import hashlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from prometheus_client import Histogram

from common.observability.metrics import SECONDS
from common.observability.tracing import span
from common.serving.executor import BoundedExecutor
from gateway.budgets import Budgets
from gateway.clients import Clients
from gateway.counters import OwnCounters
from gateway.errors import calling
from gateway.settings import GatewaySettings
from productimage.engine.v1 import engine_pb2
from productimage.image.v1 import image_pb2
from productimage.provenance.v1 import provenance_pb2

log = structlog.get_logger()

STAGE_SECONDS = Histogram(
    "productimage_stage_seconds",
    "Duration of the stages of uploads and generations, by the engine that ran them.",
    ["stage", "engine"],
    buckets=SECONDS,
)


CAPABILITIES = {"composition": "background"}
"""Capability behind a stage, where it has another name."""


@dataclass(frozen=True)
class ProgressEvent:
    """A stage has started or finished.

    Attributes:
        name: Name of the stage, such as "background".
        state: "started" or "done".
        engine: Engine that ran it, once it is done; empty for stages without one.
        elapsed_seconds: Duration of the stage so far.
        fraction: Finished part of the whole run, 0 to 1; never decreases.
    """

    name: str
    state: str
    engine: str
    elapsed_seconds: float
    fraction: float


def ignore(_: ProgressEvent) -> None:
    """Ignore an event."""


class Progress:
    """Progress of a run.

    Args:
        listener: Called when a stage starts or finishes.

    Attributes:
        expected: Number of stages the run will have, as far as it is known.
    """

    def __init__(self, listener: Callable[[ProgressEvent], None] = ignore) -> None:
        self.expected = 1
        self._listener = listener
        self._done = 0
        self._fraction = 0.0

    def report(self, stage: provenance_pb2.Stage, *, done: bool) -> None:
        """Report that a stage has started or finished."""
        self._done += done
        self._fraction = max(self._fraction, min(1.0, self._done / self.expected))
        state = "done" if done else "started"
        self._listener(ProgressEvent(stage.name, state, engine_name(stage), stage.seconds, round(self._fraction, 3)))


@dataclass
class Provenance:
    """How a result was made.

    Attributes:
        stages: Stages that made something, in the order in which they finished.
    """

    stages: list[provenance_pb2.Stage] = field(default_factory=list)

    def merge_sets(self, seed: int) -> None:
        """Keep one of several stages that chose a set with the same seed."""
        same = [stage for stage in self.stages if (stage.name, stage.seed, stage.engine) == ("background", seed, "set")]
        self.stages = [stage for stage in self.stages if all(stage is not one for one in same[1:])]

    @property
    def dollars(self) -> float:
        """What the stages have cost, as far as it is known."""
        return sum(stage.dollars for stage in self.stages)

    def add_facts(self, engines: Mapping[str, engine_pb2.Engine]) -> None:
        """Add to each stage what its engine reports that results depend on."""
        for stage in self.stages:
            engine = engines.get(CAPABILITIES.get(stage.name, stage.name))
            if engine is not None:
                stage.facts.update(engine.facts)

    def engines(self) -> dict[str, str]:
        """Return the engine of each stage."""
        return {stage.name: engine_name(stage) for stage in self.stages if stage.engine}


@dataclass(frozen=True)
class Run:
    """One request being worked on.

    Attributes:
        clients: Clients of the services.
        settings: Settings of the gateway.
        executor: Runs blocking work.
        request_id: Idempotency key of the request towards the history.
        owner: Owner of the API key; empty: none.
        budgets: What owners may spend.
        seeds: Source of the seeds of generations.
        progress: Progress so far.
        provenance: How the result is made.
    """

    clients: Clients
    settings: GatewaySettings
    executor: BoundedExecutor
    request_id: str
    owner: str = ""
    budgets: Budgets = field(default_factory=lambda: Budgets({}, OwnCounters()))
    seeds: random.Random = field(default_factory=random.Random)
    progress: Progress = field(default_factory=Progress)
    provenance: Provenance = field(default_factory=Provenance)

    @asynccontextmanager
    async def stage(self, capability: str, *, recorded: bool = True) -> AsyncIterator[provenance_pb2.Stage]:
        """Run a stage: measured, traced, reported as progress, its errors under the name of the capability.

        Args:
            capability: Name for people, such as "cut-out".
            recorded: Whether the stage becomes part of the provenance.

        Yields:
            The stage, for its engine, inputs and outputs.

        Raises:
            ApiError: A call inside failed.
        """
        stage = provenance_pb2.Stage(name=capability.replace(" ", "_").replace("-", "_"))
        self.progress.report(stage, done=False)
        start = time.perf_counter()
        with span(f"stage {stage.name}"):
            async with calling(capability):
                yield stage
        stage.seconds = round(time.perf_counter() - start, 3)
        STAGE_SECONDS.labels(stage.name, engine_name(stage)).observe(stage.seconds)
        log.info("stage", stage=capability, seconds=stage.seconds)
        self.progress.report(stage, done=True)
        if recorded:
            self.provenance.stages.append(stage)

    async def engines(self) -> dict[str, engine_pb2.Engine]:
        """Return the current engines, by capability, of the processes that respond."""
        found = await self.clients.engines()
        return {engine.capability: engine for listed in found.values() for engine in listed.engines}

    async def sha256(self, *inputs: bytes | str | image_pb2.Image) -> list[str]:
        """Return the digest of each file, text or picture (of its file, or its raw pixels), in hexadecimal."""
        return await self.executor.run(_digests, inputs)


def set_engine(stage: provenance_pb2.Stage, engine: str) -> None:
    """Record the engine of a stage, and its model if the name has one ("engine/model")."""
    stage.engine, _, stage.model = engine.partition("/")


def engine_name(stage: provenance_pb2.Stage) -> str:
    """Return the name of the engine as its service gave it."""
    return f"{stage.engine}/{stage.model}" if stage.model else stage.engine


def _digests(inputs: Iterable[bytes | str | image_pb2.Image]) -> list[str]:
    return [hashlib.sha256(_bytes_of(one)).hexdigest() for one in inputs]


def _bytes_of(data: bytes | str | image_pb2.Image) -> bytes:
    if isinstance(data, image_pb2.Image):
        return data.encoded or data.raw.data
    return data.encode() if isinstance(data, str) else data
