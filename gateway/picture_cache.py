"""Cache of creatives in memory: what is stored under the path of a creative never changes, but may be deleted."""

from dataclasses import dataclass

from cachetools import TTLCache

MAX_PICTURE = 1 << 20
"""Larger pictures are not cached, in bytes."""


@dataclass(frozen=True)
class CachedPicture:
    """A creative and the headers it is sent with."""

    headers: dict[str, str]
    content_type: str
    data: bytes


class PictureCache:
    """The creatives requested most recently.

    Args:
        max_bytes: Total size.
        seconds: Time after which a picture is read again: another replica may have deleted it.
    """

    def __init__(self, max_bytes: int, seconds: float) -> None:
        self._pictures: TTLCache[str, CachedPicture] = TTLCache(
            max_bytes, seconds, getsizeof=lambda picture: len(picture.data)
        )

    def accepts(self, path: str, size: int) -> bool:
        """Return whether a picture may be cached: a creative that is not too large."""
        return "/generated/" in path and size <= min(MAX_PICTURE, self._pictures.maxsize)

    def get(self, path: str) -> CachedPicture | None:
        """Return a picture by its path, if it is cached."""
        return self._pictures.get(path)

    def put(self, path: str, picture: CachedPicture) -> None:
        """Cache a picture; the least recently used ones make room."""
        self._pictures[path] = picture

    def forget(self, prefix: str) -> None:
        """Drop the pictures whose paths start with a prefix."""
        for path in [path for path in self._pictures if path.startswith(prefix)]:
            self._pictures.pop(path, None)
