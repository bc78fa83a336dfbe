"""The place of a store in the file system: refuse what can be no store, before DuckDB opens it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import CornerstoneError, Mend
from core.machine.database_file import LOG_ENDINGS, has_magic
from core.machine.plain_text import plain
from core.machine.regular_file import kind_of, real_path
from store.file.location import default_path

_HEADERS_SIZE = 3 * 4096
"""The size of the headers that a DuckDB file begins with. A shorter file has no rows."""

_COUNTS = slice(4096 + 8, 4096 + 48)
"""Where the first database header has its counters: all that a new file has there is FRESH."""

_FRESH = bytes(8) + b"\xff" * 16 + bytes(8)


class NothingStoredError(CornerstoneError):
    """There is no store yet, or nothing was ever put into it."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"no results at {shown(path)} yet", Mend.MAKE_RESULTS)


def shown(path: Path) -> str:
    """Return the path as text that can be printed: what is no valid UTF-8 or controls a terminal is replaced."""
    return plain(os.fsencode(path).decode("utf-8", "replace"))


def logs_of(path: Path) -> tuple[Path, ...]:
    """Return the files in which DuckDB may keep what was committed, but is not yet in the store's own file."""
    return tuple(path.with_name(path.name + ending) for ending in LOG_ENDINGS)


def log_of(path: Path) -> Path:
    """Return the first of ``logs_of``, to which DuckDB writes."""
    return logs_of(path)[0]


def is_there(path: Path) -> bool:
    """Return whether there is a file at the path of a store.

    Raises:
        CornerstoneError: it or its log is a pipe, folder or the like, it may not be looked at, or DuckDB cannot take
            its name.
    """
    size = _size(path)
    if size is not None:
        _refuse_odd_logs(path)
    return size is not None and not (size < _HEADERS_SIZE and is_stub(path))


def is_stub(path: Path) -> bool:
    """Return whether a file is what is left of a store that was never made whole, so that it has no rows.

    It is empty, or zeros, or the beginning of a new DuckDB file, as a full disk or a killed program leaves it.

    Raises:
        CornerstoneError: as ``is_there``, or the file cannot be read.
    """
    size = _size(path)
    if size is None or size >= _HEADERS_SIZE:
        return False  # another process may hold it; and to read it would drop a lock that this process has
    if _size(log_of(path)):
        return False
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    return is_unfinished(content)


def is_unfinished(content: bytes) -> bool:
    """Return whether this is the content of a file that was never made whole."""
    if len(content) >= _HEADERS_SIZE:
        return False
    counts = content[_COUNTS]
    return not any(content) or (has_magic(content) and _FRESH.startswith(counts[: len(_FRESH)]))


def is_like_a_database(path: Path) -> bool:
    """Return whether a file that DuckDB does not take has the marks of a DuckDB file, so that it is a damaged one."""
    try:
        with path.open("rb") as file:
            start = file.read(_HEADERS_SIZE)
    except OSError:
        return False
    block_sizes = (int.from_bytes(start[at + 40 : at + 48], "little") for at in (4096, 8192))
    return has_magic(start) or any(size in {2**14, 2**18} for size in block_sizes)


def make_folder(path: Path) -> None:
    """Make the folder of a store. Only that of the default store is made where its own folder is missing too.

    Raises:
        CornerstoneError: more is missing, which is likely a slip of the pen, or the folder cannot be made.
    """
    refuse_missing_folders(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"cannot create the folder {shown(path.parent)} for the store: {error.strerror}"
        raise CornerstoneError(said, Mend.OTHER_STORE) from error


def refuse_bad_place(path: Path) -> None:
    """Refuse a path at which no store can be made or written, as far as that is seen without opening it.

    Raises:
        CornerstoneError: as ``is_there`` and ``make_folder``, or the file or its folder may not be written.
    """
    place = real_path(path)
    if _size(place) is None:
        refuse_missing_folders(place)
    elif not os.access(place, os.W_OK):
        raise CornerstoneError(f"the store {shown(path)} may not be written", Mend.OTHER_STORE)
    folder = next(each for each in place.parents if each.exists())
    try:
        # To ask for the rights is not enough: in some folders nobody may make a file.
        with TemporaryDirectory(dir=folder, prefix=".cornerstone-"):
            pass
    except OSError as error:
        raise no_file_in(folder, error) from error


def no_file_in(folder: Path, error: OSError) -> CornerstoneError:
    """Return the error of a folder in which a store cannot be made or written."""
    why = "" if isinstance(error, FileNotFoundError) else f" ({error.strerror})"
    return CornerstoneError(f"no file can be made in the folder {shown(folder)}{why}", Mend.OTHER_STORE)


def refuse_missing_folders(path: Path) -> None:
    """Refuse a path for a store whose folder's own folder is missing, except the default store's.

    Raises:
        CornerstoneError: it is missing.
    """
    if path.parent.parent.exists() or path == default_path().resolve():
        return
    missing = next(each for each in reversed(path.parents) if not each.exists())
    raise CornerstoneError(
        f"the store {shown(path)} cannot be made: there is no folder {shown(missing)}", Mend.OTHER_STORE
    )


def _refuse_odd_logs(path: Path) -> None:
    """Refuse a log that DuckDB would wait for, or read without end."""
    for log in logs_of(path):
        try:
            kind = kind_of(log.stat().st_mode)
        except OSError:  # most often there is none; DuckDB tells of others
            continue
        if kind != "file":
            raise CornerstoneError(f"{shown(log)} is a {kind} in the place of the log of a store; move it away")


def _size(path: Path) -> int | None:
    """Return the size of a regular file in bytes, None if there is nothing."""
    if "\0" in str(path):
        raise _refused(path, "its name has a null character")
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeError as error:
        raise _refused(path, "DuckDB takes no name that is not valid UTF-8") from error
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    kind = kind_of(status.st_mode)
    if kind != "file":
        raise CornerstoneError(f"{shown(path)} is a {kind}, not a store", Mend.OTHER_STORE)
    return status.st_size


def _refused(path: Path, why: str) -> CornerstoneError:
    return CornerstoneError(f"{shown(path)} cannot be opened as a store ({why})", Mend.OTHER_STORE)
