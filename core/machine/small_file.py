"""Read small files that a user names, such as configurations and masks: bounded in size, and never from a pipe."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.errors import CornerstoneError
from core.machine.regular_file import open_regular, reason_of

MOST_BYTES: Final = 2**18
"""The most bytes of such a file, a hundred times those of a long configuration."""


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
        with open_regular(path) as file:
            content = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise CornerstoneError(f"cannot read {what}: {reason_of(error)}") from error
    if len(content) > most_bytes:
        raise CornerstoneError(f"cannot read {what}: it has more than {most_bytes // 1024} KiB, which is too large")
    return content
