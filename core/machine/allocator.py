"""Freed memory stays with the process for the next batch: handed back, it costs a page fault for each page anew."""

from __future__ import annotations

import ctypes

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_KEPT = 2**28


def keep_freed_memory() -> None:
    """Have glibc keep blocks of up to 256 MiB, and as much at the end of its heap; elsewhere nothing happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_THRESHOLD, _KEPT)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    # A thread's own heap is of 64 MiB: all use the first, which has no such bound.
    mallopt(_ARENA_MAX, 1)
