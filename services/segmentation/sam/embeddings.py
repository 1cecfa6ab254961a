"""Embeddings that are kept for a while: a second prompt on the same picture then costs the decoder alone."""

import hashlib
from threading import Lock

from cachetools import LRUCache
from prometheus_client import Counter
from torch import Tensor

from services.runtime.image import Pixels

EMBEDDINGS = Counter("productimage_embeddings", "Pictures whose embedding was needed, by where it was.", ["source"])


class EmbeddingCache:
    """The embeddings of the pictures seen last, by the pictures' contents. Safe to use from several threads.

    Args:
        max_bytes: What they may take together; 0: keep none.
    """

    def __init__(self, max_bytes: int) -> None:
        self._lock = Lock()
        self._kept: LRUCache[bytes, Tensor] = LRUCache(max_bytes, getsizeof=lambda embedding: embedding.nbytes)

    def get(self, key: bytes) -> Tensor | None:
        """Give the embedding kept under a key; None: it is not kept, or no more."""
        with self._lock:
            kept = self._kept.get(key)
        EMBEDDINGS.labels("model" if kept is None else "memory").inc()
        return kept

    def put(self, key: bytes, embedding: Tensor) -> None:
        """Keep an embedding; those used longest ago make room for it."""
        with self._lock:
            if embedding.nbytes <= self._kept.maxsize:
                self._kept[key] = embedding


def content_key(picture: Pixels) -> bytes:
    """Give a key that two pictures share only when every pixel is the same."""
    digest = hashlib.blake2b(str(picture.shape).encode(), digest_size=16)
    digest.update(picture.tobytes())
    return digest.digest()
