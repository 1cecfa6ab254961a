"""How glibc's malloc keeps memory: see mallopt(3)."""

import ctypes
from collections.abc import Callable

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_OPTIONS = {_ARENA_MAX: 1, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 256 << 20, _TOP_PAD: 16 << 20}


def keep_freed_memory() -> None:
    """Keep blocks of a picture's or a model's size for the next of their kind.

    By default they go back to the kernel after each use, though the same ones are asked for again and again, and each
    of many threads has a heap of its own: models and messages take about twice as long. Other C libraries are left as
    they are.
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _OPTIONS.items():
            mallopt(option, value)
