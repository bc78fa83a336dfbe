"""Read small files that a user names, such as configurations and masks: bounded in size, and never from a pipe."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from core.errors import CornerstoneError

MOST_BYTES: Final = 2**18
"""The most bytes of such a file, a hundred times those of a long configuration."""

_KINDS = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
)


def kind_at(path: Path) -> str | None:
    """Return what is at a path: a ``file``, ``folder``, ``pipe``, ``socket`` or ``device``; None if there is nothing.

    Raises:
        CornerstoneError: that cannot be told, as in a folder that may not be entered.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # a name with NUL is a ValueError
        raise CornerstoneError(f"cannot look at {path}: {reason_of(error)}") from error
    return kind_of(mode)


def read_small(path: Path, what: str, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the content of a file.

    Args:
        path: the file.
        what: names the file in errors, such as ``the mask m.json``.
        most_bytes: the most that it may have.

    Raises:
        FileNotFoundError: there is no such file.
        CornerstoneError: it is no file, too large, or cannot be read.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for a writer.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            kind = kind_of(os.fstat(file.fileno()).st_mode)
            if kind != "file":
                raise CornerstoneError(f"cannot read {what}: it is a {kind}, not a file")
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise CornerstoneError(f"cannot read {what}: {reason_of(error)}") from error
    if len(content) > most_bytes:
        raise CornerstoneError(f"cannot read {what}: it has more than {most_bytes // 1024} KiB, which is too large")
    return content


def reason_of(error: OSError | ValueError) -> str:
    """Return why a path cannot be used, in the system's words where it has some."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def kind_of(mode: int) -> str:
    """Return the kind of what has this mode, as ``kind_at`` names it."""
    return next((name for test, name in _KINDS if test(mode)), "device")
