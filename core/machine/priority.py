"""Give way to other programs of the machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_AUTOGROUP = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Let programs that a person waits for have the processors first.

    Linux may share them out among sessions (its autogroups), where the niceness of a process counts only within its own
    session. So the session gets it too, if it is this process's own.

    Args:
        niceness: from 0 to 19; the larger, the more this process gives way.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # there are no autogroups
            _AUTOGROUP.write_text(str(niceness), encoding="ascii")
