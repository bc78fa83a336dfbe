"""Whether freed memory stays in the process for the next batch: giving it back costs page faults later."""

from __future__ import annotations

import ctypes

from core.machine.memory_limit import memory_limit

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

_KEPT = 2**28
_GIVEN_BACK = 2**20


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks of up to 256 MiB, and as much at the end of its heap. Do nothing without glibc.

    Under a limit on this process's memory it gives back blocks of 1 MiB and more, because what it keeps counts.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    kept = _KEPT if memory_limit() is None else _GIVEN_BACK
    mallopt(_MMAP_THRESHOLD, kept)
    mallopt(_TRIM_THRESHOLD, kept)
    # The heap of a single thread is limited to 64 MiB, so all threads share the main one, which has no limit.
    mallopt(_ARENA_MAX, 1)
