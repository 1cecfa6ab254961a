"""Embedding cache: another prompt on the same picture then runs the decoder only."""

import hashlib
from threading import Lock

from cachetools import LRUCache
from prometheus_client import Counter
from torch import Tensor

from common.imaging.codec import Pixels

EMBEDDINGS = Counter("productimage_embeddings", "Pictures whose embedding was needed, by where it was.", ["source"])


class EmbeddingCache:
    """LRU cache of picture embeddings, keyed by picture content. Thread-safe.

    Args:
        max_bytes: Size of the cache, in bytes; 0 turns it off.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = Lock()
        self._kept: LRUCache[bytes, Tensor] = LRUCache(max_bytes, getsizeof=lambda embedding: embedding.nbytes)

    def get(self, key: bytes) -> Tensor | None:
        """Return the embedding cached under a key, if any."""
        with self._lock:
            kept = self._kept.get(key)
        EMBEDDINGS.labels("model" if kept is None else "memory").inc()
        return kept

    def put(self, key: bytes, embedding: Tensor) -> None:
        """Cache an embedding, evicting the least recently used ones. Skip one that is larger than the cache."""
        with self._lock:
            if embedding.nbytes <= self._kept.maxsize:
                self._kept[key] = embedding


def content_key(picture: Pixels) -> bytes:
    """Return the cache key of a picture: a 128-bit hash of its shape and pixels."""
    digest = hashlib.blake2b(str(picture.shape).encode(), digest_size=16)
    digest.update(picture.tobytes())
    return digest.digest()
