"""The memory of this process, with the mapped files that it will have read. Light to import."""

from __future__ import annotations

from contextlib import suppress

import psutil


def own_memory(mapped: str) -> int:
    """Return the bytes in memory of this process, once it has read all of the files that it maps.

    Args:
        mapped: what the names of these files end with. Where the system does not tell maps, what is in memory counts.
    """
    process = psutil.Process()
    taken = int(process.memory_info().rss)
    with suppress(psutil.Error, AttributeError, OSError):
        maps = [each for each in process.memory_maps() if each.path.endswith(mapped)]
        taken += sum(max(0, each.size - each.rss) for each in maps)
    return taken
