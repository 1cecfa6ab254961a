"""Downloads: streams of stored bytes, admitted once and then read to their end beside all other work."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TypeVar

from common.errors import OverloadedError
from common.serving.executor import BoundedExecutor

T = TypeVar("T")


class Downloads:
    """Reads streams in threads of their own. Each stream has one job at a time, so none is refused in mid-stream.

    Args:
        workers: Threads.
        places: Streams at a time.
    """

    def __init__(self, workers: int, places: int) -> None:
        self._executor = BoundedExecutor(workers, places)
        self._free = places

    @asynccontextmanager
    async def open(self, opening: AbstractContextManager[T]) -> AsyncIterator[T]:
        """Take a place and open what is read.

        Raises:
            OverloadedError: All places are taken; nothing was opened.
        """
        if not self._free:
            raise OverloadedError("Too many downloads: try again in a few seconds.")
        self._free -= 1
        try:
            opened = await self._executor.run(opening.__enter__)
            try:
                yield opened
            finally:
                opening.__exit__(None, None, None)
        finally:
            self._free += 1

    async def chunks(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the chunks of what was opened."""
        while chunk := await self._executor.run(next, chunks, b""):
            yield chunk
