"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import CornerstoneError


@contextmanager
def whole_file(path: Path, *, force: bool) -> Iterator[Path]:
    """A path beside ``path`` to write to; what is there at the end takes its place.

    Args:
        path: of the file.
        force: replace a file that is there.

    Raises:
        CornerstoneError: it is a folder, the file is there and may not be replaced, or it cannot be written.
    """
    try:
        refuse_what_is_there(path, force=force)
        with TemporaryDirectory(dir=path.parent, prefix=".cornerstone-") as folder:
            fresh = Path(folder) / "fresh"
            yield fresh
            os.replace(fresh, path)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def refuse_what_is_there(path: Path, *, force: bool) -> None:
    """Raises CornerstoneError where ``path`` cannot, or without ``force`` may not, be replaced by a file."""
    if path.exists() and not path.is_file():
        raise CornerstoneError(f"{path} is a folder or a device, which a file cannot replace; name a file")
    if path.exists() and not force:
        raise CornerstoneError(f"{path} exists; add --force to replace it")
