"""The main memory that this process may still take: by the machine, its control groups (Linux) and its own limits."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import psutil


@dataclass(frozen=True, slots=True)
class _Layout:
    """The folder and file names in one version of control groups."""

    folder: str
    limit: str
    used: str
    reclaimable: str


_V1 = _Layout("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_V2 = _Layout("", "memory.max", "memory.current", "inactive_file")


def free_memory(root: Path = Path("/")) -> int:
    """Return how many bytes this process can take before the machine swaps, or an allocation fails, or a container or
    batch system ends it.

    Args:
        root: the folder that contains ``proc`` and ``sys``. Without them (not on Linux) only the machine counts.
    """
    left = (_left(folder, layout) for folder, layout in _groups(root))
    known = [psutil.virtual_memory().available, _left_of_addresses(), _left_of_data(), *left]
    return max(0, min(found for found in known if found is not None))


def _left_of_addresses() -> int | None:
    """Return how many bytes of addresses a limit of this process leaves (``ulimit -v``); None without a limit."""
    limit, _hard = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit - int(psutil.Process().memory_info().vms)


def _left_of_data() -> int | None:
    """Return how many bytes a limit of this process leaves to its own data (``ulimit -d``); None without a limit."""
    limit, _hard = resource.getrlimit(resource.RLIMIT_DATA)
    used = getattr(psutil.Process().memory_info(), "data", None)  # not on every system
    return None if limit == resource.RLIM_INFINITY or used is None else limit - int(used)


def _groups(root: Path) -> Iterator[tuple[Path, _Layout]]:
    """Yield the control groups whose limits apply to this process: its own and those that contain it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _number, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        layout = _V1 if controllers else _V2
        mount = root / "sys/fs/cgroup" / layout.folder
        # In a container the path may be the host's. The container then sees only its end, mounted as the root.
        for group in (PurePosixPath(path), *PurePosixPath(path).parents):
            yield mount / group.relative_to("/"), layout


def _left(folder: Path, layout: _Layout) -> int | None:
    """Return how many bytes a group may still take, including file pages that can be dropped; None without a limit."""
    limit, used = _read(folder / layout.limit).strip(), _read(folder / layout.used).strip()
    if not limit.isdigit() or not used.isdigit():
        return None
    stat = dict(line.split(maxsplit=1) for line in _read(folder / "memory.stat").splitlines())
    return int(limit) - int(used) + int(stat.get(layout.reclaimable, 0))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
