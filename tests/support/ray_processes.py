"""The processes of Ray that a program has started: which of them are workers, and which outlive it."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

_LOOK_EVERY_S = 0.01


def family(pid: int) -> list[psutil.Process]:
    """Return the processes below a program."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def workers(pid: int, *, busy: bool = False) -> list[psutil.Process]:
    """Return a program's workers; with ``busy``, those that evaluate a chunk right now."""
    title = "ray::Member.evaluate" if busy else "ray::Member"
    found = []
    for process in family(pid):
        with suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith(title):
                found.append(process)
    return found


def busy_workers(pid: int, seconds: float, count: int = 1) -> list[psutil.Process]:
    """Wait until so many workers evaluate, and return them; none after ``seconds``, or if the program ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _runs(pid):
        if len(found := workers(pid, busy=True)) >= count:
            return found
        time.sleep(_LOOK_EVERY_S)
    return []


def _runs(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def survivors(processes: list[psutil.Process], seconds: float) -> list[str]:
    """Return in words which processes are still there after ``seconds``."""
    _gone, alive = psutil.wait_procs(processes, timeout=seconds)
    left = []
    for process in alive:
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                left.append(f"{process.pid} {process.name()}")
    return left


def listening(processes: list[psutil.Process]) -> set[str]:
    """Return the addresses on which processes listen."""
    found = set()
    for process in processes:
        with suppress(psutil.Error):
            found |= {one.laddr.ip for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN}
    return found
