"""Identify a process, so that it can be checked later whether it still runs."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import psutil

_CLOCK_ERROR_S = 2.0
_UNKNOWN_FOR_S = 24 * 3600.0
_START_TICKS = 21
"""The place of a process's start in ``/proc/PID/stat``, counted from 0."""

Presence = Literal["alive", "gone", "unknown"]


def here() -> dict[str, str]:
    """Describe this process by its machine, its number and its start time, because numbers are used again.

    On Linux the start is also counted from the machine's start, which does not change when the clock is set. The
    machine's start and the process's name space tell apart containers that have the same host name.
    """
    began = {"host": platform.node(), "pid": str(os.getpid()), "began": str(psutil.Process().create_time())}
    machine = _machine()
    return began | {"ticks": _ticks(os.getpid())} | machine if machine["boot"] else began


def since_start() -> float:
    """Return for how many seconds this process has run: its start-up, where nothing was done yet."""
    return time.time() - psutil.Process().create_time()


def presence(process: Mapping[str, str]) -> Presence:
    """Return whether a process that ``here`` described still runs; unknown if this machine cannot tell.

    It cannot tell of another machine, or of another container. A machine of the same name that was started again is
    taken for the same one.
    """
    found = _of_machine(process)
    if found != "alive":
        return found
    try:
        return "alive" if _is_the_same(process) else "gone"
    except (psutil.NoSuchProcess, OverflowError):
        return "gone"
    except (KeyError, ValueError, psutil.AccessDenied):
        return "unknown"


def is_elsewhere(process: Mapping[str, str], age_s: float) -> bool:
    """Return whether the process that ``here`` described is another one than this, and may still do its work.

    One that this machine cannot tell of may do so for a day, because it is not known when it ends.

    Args:
        process: the process.
        age_s: the time in seconds since it began that work.
    """
    if "host" not in process:
        return False
    match presence(process):
        case "alive":
            return process.get("pid") != str(os.getpid())
        case "unknown":
            return age_s < _UNKNOWN_FOR_S
        case "gone":
            return False


def command_of(pid: int) -> str | None:
    """Return the command line of a process, or None if it cannot be told."""
    try:
        return " ".join(psutil.Process(pid).cmdline()) or None
    except psutil.Error:
        return None


def lock_holders(path: Path, kind: Literal["POSIX", "FLOCK"] = "POSIX") -> tuple[int, ...]:
    """Return the numbers of the processes that hold a lock of a kind on a file; none where Linux does not tell."""
    try:
        status = path.stat()
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        return ()
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    held = (line.split() for line in lines if "->" not in line)
    return tuple(dict.fromkeys(int(words[4]) for words in held if words[1] == kind and words[5] == file))


def _of_machine(process: Mapping[str, str]) -> Presence:
    """Return whether the machine and container of a process are those of this one, and have not been started again."""
    now = _machine()
    known = "boot" in process and now["boot"]
    if process.get("host") != platform.node() or (known and process.get("machine") != now["machine"]):
        return "unknown"
    if known and process["boot"] != now["boot"]:
        return "gone"
    return "unknown" if known and process.get("space") != now["space"] else "alive"


def _is_the_same(process: Mapping[str, str]) -> bool:
    """Return whether the process of that number is the one described, and not one that only waits to be cleared."""
    found = psutil.Process(int(process["pid"]))
    if found.status() == psutil.STATUS_ZOMBIE:
        return False
    if process.get("ticks"):
        return _ticks(found.pid) == process["ticks"]
    return abs(found.create_time() - float(process["began"])) <= _CLOCK_ERROR_S


def _machine() -> dict[str, str]:
    """Return what tells apart machines, their starts, and containers; empty texts where it is not known."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return {"machine": _read("/etc/machine-id"), "boot": _read("/proc/sys/kernel/random/boot_id"), "space": space}


def _ticks(pid: int) -> str:
    # The name of the program stands in brackets, and may contain spaces and brackets.
    words = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return words[_START_TICKS - 2] if len(words) > _START_TICKS - 2 else ""


def _read(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
