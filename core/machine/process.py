"""Which process did something, so that it can be told later whether it is still at it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

import psutil


def here() -> dict[str, str]:
    """This process: its machine, its number, and when it began, as numbers are used again."""
    return {"host": platform.node(), "pid": str(os.getpid()), "began": str(psutil.Process().create_time())}


def is_gone(process: Mapping[str, str]) -> bool:
    """Whether a process that ``here`` described has ended; false where that cannot be told from this machine."""
    if process.get("host") != platform.node():
        return False
    try:
        return str(psutil.Process(int(process["pid"])).create_time()) != process["began"]
    except psutil.NoSuchProcess:
        return True
    except (KeyError, ValueError, psutil.AccessDenied):
        return False


def is_elsewhere(process: Mapping[str, str]) -> bool:
    """Whether ``here`` described the process, which is another than this one and not known to have ended."""
    return "host" in process and not here().items() <= process.items() and not is_gone(process)
