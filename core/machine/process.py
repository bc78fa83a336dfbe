"""Identify a process, so that it can be checked later whether it still runs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

import psutil


def here() -> dict[str, str]:
    """Describe this process: its machine, its number and its start time, because numbers are used again."""
    return {"host": platform.node(), "pid": str(os.getpid()), "began": str(psutil.Process().create_time())}


def is_gone(process: Mapping[str, str]) -> bool:
    """Return whether a process that ``here`` described has ended; false if this machine cannot know."""
    if process.get("host") != platform.node():
        return False
    try:
        return str(psutil.Process(int(process["pid"])).create_time()) != process["began"]
    except psutil.NoSuchProcess:
        return True
    except (KeyError, ValueError, psutil.AccessDenied):
        return False


def is_elsewhere(process: Mapping[str, str]) -> bool:
    """Return whether the process that ``here`` described is another one than this and may still run."""
    return "host" in process and not here().items() <= process.items() and not is_gone(process)
