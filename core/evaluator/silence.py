"""An evaluator that does not answer: which process it is, whether it was stopped, and how to end it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass

import psutil

# From macOS's sys/un.h.
_SOL_LOCAL, _LOCAL_PEERPID = 0, 2


@dataclass(frozen=True, slots=True)
class Silence:
    """An evaluator that takes a connection and does not answer.

    Attributes:
        pid: its process; None where the system does not tell.
        stopped: whether the process is stopped, as SIGSTOP, Ctrl+Z or a debugger do. Otherwise it may be busy.
    """

    pid: int | None
    stopped: bool

    @classmethod
    def of(cls, pid: int | None) -> Silence:
        """Describe the process ``pid`` as it is now."""
        return cls(pid, pid is not None and is_stopped(pid))


def in_words(silence: Silence) -> str:
    """Return the beginning of a sentence about a silent evaluator."""
    which = "the evaluator" if silence.pid is None else f"the evaluator (process {silence.pid})"
    return f"{which} {'is stopped' if silence.stopped else 'is busy'}"


def is_stopped(pid: int) -> bool:
    """Return whether a process is stopped and can go on (SIGCONT)."""
    try:
        return psutil.Process(pid).status() in {psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP}
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def peer_of(connected: socket.socket) -> int | None:
    """Return the process at the other end of a Unix socket, None where the system does not tell."""
    if sys.platform.startswith("linux"):
        size = struct.calcsize("3i")
        pid, _, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    elif sys.platform == "darwin":
        pid = connected.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    else:
        return None
    return int(pid) or None


def end(silence: Silence) -> None:
    """End an evaluator that does not answer. What it has written is safe; its chunk in flight is lost."""
    if silence.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(silence.pid, signal.SIGKILL)  # a stopped process takes no other signal
