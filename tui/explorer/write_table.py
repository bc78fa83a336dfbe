"""Write a table to a file, as `cornerstone results TABLE -o FILE` does. A worker does it, as it opens the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import CornerstoneError
from store.formats.registry import format_of
from store.tables import tables
from tui.explorer.browser_tables import PATIENCE_S, Scope

FIRST_FORM = "csv"
"""The format that is chosen until the user chooses another."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A table to write, its format, and the file to write it to."""

    store: Path
    table: str
    scope: Scope
    form: str
    target: str


@dataclass(frozen=True, slots=True)
class Written:
    """A table that was written: its file, and its number of rows. ``left_out`` has a sentence for each gap."""

    path: Path
    rows: int
    left_out: tuple[str, ...]


def write_table(wanted: Wanted, *, force: bool) -> Written | None:
    """Write a table; return None if the file exists and ``force`` does not allow to replace it.

    Raises:
        CornerstoneError: the store cannot be read or has no answer, or the file cannot be written.
    """
    from store.export import write
    from store.results import Results
    from tui.drawing.gap_text import gap_texts

    try:
        path = _path(wanted.target)
        named = format_of(path)
        if named is not None and named.name != wanted.form:
            raise CornerstoneError(
                f"{path.name} ends in {path.suffix}, and {wanted.form} is chosen: change one of them"
            )
        if path.exists() and not force:
            return None
    except OSError as error:
        raise CornerstoneError(f"cannot write {wanted.target.strip()}: {error.strerror}") from error
    table = tables()[wanted.table]
    answer = table.read(Results(wanted.store, PATIENCE_S), wanted.scope.asked)
    gaps = gap_texts(answer.gaps, wanted.store)
    if gaps and not answer.rows:
        raise CornerstoneError("; ".join(gaps))
    write(answer.rows, table.row, wanted.form, path, force=force)
    return Written(path, len(answer.rows), gaps)


def _path(text: str) -> Path:
    if not text.strip():
        raise CornerstoneError("name the file to write")
    try:
        path = Path(text.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise CornerstoneError(f"{text.strip()}: there is no such home folder") from error
    if path.is_dir():
        raise CornerstoneError(f"{path} is a folder; name a file in it")
    return path
