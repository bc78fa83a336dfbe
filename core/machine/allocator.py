"""Keep freed memory in the process for the next batch, because memory that is given back costs page faults later."""

from __future__ import annotations

import ctypes

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_KEPT = 2**28


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks of up to 256 MiB, and as much at the end of its heap. Do nothing without glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(_MMAP_THRESHOLD, _KEPT)
    mallopt(_TRIM_THRESHOLD, _KEPT)
    # The heap of a single thread is limited to 64 MiB, so all threads share the main one, which has no limit.
    mallopt(_ARENA_MAX, 1)
