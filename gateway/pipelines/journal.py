"""What a pipeline does, stage by stage: told to whoever listens, and kept for the manifest of the record."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import Histogram

from gateway.pipelines.stage import stage
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2
from services.runtime.metrics import SECONDS
from services.runtime.tracing import span

STAGE_SECONDS = Histogram(
    "productimage_stage_seconds",
    "How long the stages of uploads and generations took, by the engine that did them.",
    ["stage", "engine"],
    buckets=SECONDS,
)


@dataclass(frozen=True)
class Progress:
    """What happens to a stage.

    Attributes:
        name: The stage, such as "background".
        state: "started" or "done".
        engine: What did it, once it is done; empty where nothing but the history was asked.
        elapsed_seconds: How long the stage has taken.
        fraction: How much of the whole is done, 0 to 1; never falls.
    """

    name: str
    state: str
    engine: str
    elapsed_seconds: float
    fraction: float


def _nobody(_: Progress) -> None:
    pass


@dataclass
class Journal:
    """The stages of one request.

    Attributes:
        listener: Told when a stage starts or is done.
        expected: How many stages there will be, as far as it is known.
        stages: Those that made something, in the order in which they ended.
    """

    listener: Callable[[Progress], None] = _nobody
    expected: int = 1
    stages: list[history_pb2.Stage] = field(default_factory=list)
    _done: int = 0
    _fraction: float = 0.0

    @asynccontextmanager
    async def making(self, capability: str) -> AsyncIterator[history_pb2.Stage]:
        """Run a stage that makes something; what runs inside writes down who made what from what.

        Raises:
            ApiError: A call inside failed.
        """
        async with self.asking(capability) as entry:
            yield entry
        self.stages.append(entry)

    @asynccontextmanager
    async def asking(self, capability: str) -> AsyncIterator[history_pb2.Stage]:
        """Run a stage that is no part of the manifest.

        Raises:
            ApiError: A call inside failed.
        """
        entry = history_pb2.Stage(name=capability.replace(" ", "_").replace("-", "_"))
        self._tell(entry, "started")
        start = time.perf_counter()
        with span(f"stage {entry.name}"):
            async with stage(capability):
                yield entry
        entry.seconds = round(time.perf_counter() - start, 3)
        STAGE_SECONDS.labels(entry.name, name_of(entry)).observe(entry.seconds)
        self._done += 1
        self._tell(entry, "done")

    def _tell(self, entry: history_pb2.Stage, state: str) -> None:
        self._fraction = max(self._fraction, min(1.0, self._done / self.expected))
        self.listener(Progress(entry.name, state, name_of(entry), entry.seconds, round(self._fraction, 3)))

    def engines(self) -> dict[str, str]:
        """Give which engine did what."""
        return {entry.name: name_of(entry) for entry in self.stages if entry.engine}


def sign(entry: history_pb2.Stage, engine: str) -> None:
    """Write down who made it: an engine, and its model where the name tells one."""
    entry.engine, _, entry.model = engine.partition("/")


def name_of(entry: history_pb2.Stage) -> str:
    """Give the engine's name as its service gave it."""
    return f"{entry.engine}/{entry.model}" if entry.model else entry.engine


def sha256(data: bytes | image_pb2.Image) -> str:
    """Give the digest of a file, or of a picture's file or raw pixels, in hexadecimal."""
    if isinstance(data, image_pb2.Image):
        data = data.encoded or data.raw.data
    return hashlib.sha256(data).hexdigest()
