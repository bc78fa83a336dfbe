"""Write files so that they are complete or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import CornerstoneError, Mend
from core.machine.database_file import is_of_database
from core.machine.regular_file import kind_of, reason_of


@contextmanager
def whole_file(path: Path, *, force: bool, flush: bool = True, over_store: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the same folder; when the block ends, the file written there replaces ``path``.

    Args:
        path: the file to write.
        force: replace a file that exists.
        flush: have the content on the disk first. Not for a file that this process has locked: to close it once is to
            give up the lock. Whoever has written it then flushes it.
        over_store: what is written may take the place of a store, as it is one.

    Raises:
        CornerstoneError: ``refuse_target`` refuses the path, or the file cannot be written.
    """
    refuse_target(path, force=force, over_store=over_store)
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".cornerstone-") as folder:
            fresh = Path(folder) / "fresh"
            yield fresh
            if flush:
                _flush(fresh)
            os.replace(fresh, path)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def _flush(file: Path) -> None:
    """Have the content of a file on the disk before its name is."""
    with file.open("rb") as written:
        os.fsync(written.fileno())


def refuse_target(path: Path, *, force: bool, over_store: bool = False) -> None:
    """Refuse a path that cannot be written. Long work calls this before it starts, not only at the end.

    Raises:
        CornerstoneError: the path is a folder or a device, it exists and ``force`` is not set, or its folder does not
            exist or may not be written. Unless ``over_store`` is set, it holds a database: outcomes that took days are
            not replaced by a table of them.
    """
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()  # exists() says no to a name that no file can have
        if path.exists() and not path.is_file():
            kind = kind_of(path.stat().st_mode)
            what = "name a file in it" if kind == "folder" else "name a file, as no file can replace that"
            raise CornerstoneError(f"{path} is a {kind}; {what}")
        if path.exists() and not force:
            raise CornerstoneError(f"{path} exists", Mend.REPLACE_FILE)
        if path.exists() and not over_store and is_of_database(path):
            raise CornerstoneError(f"{path} is a database or its log, which is not replaced; name another file")
        if not path.parent.is_dir():
            raise CornerstoneError(f"cannot write {path}: there is no folder {path.parent}")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise CornerstoneError(f"cannot write {path}: the folder {path.parent} may not be written")
    except (OSError, ValueError) as error:
        raise CornerstoneError(f"cannot write {path}: {reason_of(error)}") from error
