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
        CornerstoneError: as ``refuse_target`` has it, or the file cannot be written.
    """
    refuse_target(path, force=force)
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".cornerstone-") as folder:
            fresh = Path(folder) / "fresh"
            yield fresh
            os.replace(fresh, path)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def refuse_target(path: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written; what works long for it asks before the work too.

    Raises:
        CornerstoneError: it is a folder or a device, it is there and may not be replaced without ``force``, or there
            is no folder to put it in.
    """
    try:
        if path.exists() and not path.is_file():
            what = "folder; name a file in it" if path.is_dir() else "device, which a file cannot replace; name a file"
            raise CornerstoneError(f"{path} is a {what}")
        if path.exists() and not force:
            raise CornerstoneError(f"{path} exists; add --force to replace it")
        if not path.parent.is_dir():
            raise CornerstoneError(f"cannot write {path}: there is no folder {path.parent}")
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error
