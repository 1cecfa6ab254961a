"""Tuning of glibc's malloc; see mallopt(3)."""

import ctypes
from collections.abc import Callable

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_OPTIONS = {_ARENA_MAX: 1, _MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 256 << 20, _TOP_PAD: 16 << 20}


def tune_malloc() -> None:
    """Keep freed blocks of the size of a picture or a model for reuse.

    By default they are returned to the kernel after each use, although the same sizes are needed again and again, and
    each thread gets a heap of its own: models and messages then take about twice as long. Other C libraries are left
    unchanged.
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _OPTIONS.items():
            mallopt(option, value)
