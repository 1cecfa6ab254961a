"""What a pipeline made, stage by stage, for the manifest of the record."""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.pipelines.stage import stage
from productimage.history.v1 import history_pb2
from productimage.image.v1 import image_pb2


class Journal:
    """The stages of one request that make something, in the order in which they end."""

    def __init__(self) -> None:
        self.stages: list[history_pb2.Stage] = []

    @asynccontextmanager
    async def making(self, capability: str) -> AsyncIterator[history_pb2.Stage]:
        """Run a stage; what runs inside writes down who made what from what.

        Raises:
            ApiError: A call inside failed.
        """
        entry = history_pb2.Stage(name=capability.replace(" ", "_").replace("-", "_"))
        start = time.perf_counter()
        async with stage(capability):
            yield entry
        entry.seconds = round(time.perf_counter() - start, 3)
        self.stages.append(entry)

    def engines(self) -> dict[str, str]:
        """Give which engine did what."""
        return {
            entry.name: f"{entry.engine}/{entry.model}" if entry.model else entry.engine
            for entry in self.stages
            if entry.engine
        }


def sign(entry: history_pb2.Stage, engine: str) -> None:
    """Write down who made it: an engine, and its model where the name tells one."""
    entry.engine, _, entry.model = engine.partition("/")


def sha256(data: bytes | image_pb2.Image) -> str:
    """Give the digest of a file, or of a picture's file or raw pixels, in hexadecimal."""
    if isinstance(data, image_pb2.Image):
        data = data.encoded or data.raw.data
    return hashlib.sha256(data).hexdigest()
