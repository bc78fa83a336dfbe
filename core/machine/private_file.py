"""Files of the user's state, such as a session or prompts, which nobody else on the machine may read."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_private(path: Path, content: bytes, *, flush: bool = False) -> None:
    """Write a file that only this user can read, in place of one that is there, whole or not at all.

    Its folder is made if it is missing.

    Args:
        path: the file.
        content: all that is to be in it.
        flush: have it on the disk before this returns, so that a power failure does not lose it.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A temporary file is its owner's alone, and keeps that under its new name.
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name[:64]}-", delete=False) as file:
        fresh = Path(file.name)
        try:
            file.write(content)
            file.flush()
            if flush:
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise
