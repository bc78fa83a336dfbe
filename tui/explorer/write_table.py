"""Write a table to a file, as `cornerstone results TABLE -o FILE` does. A worker does it, as it opens the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from core.errors import CornerstoneError
from store.formats.registry import format_of, formats
from store.tables import tables
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.scope import Scope

CHARTS: Final[Mapping[str, str]] = MappingProxyType({"svg": "a chart", "pdf": "a chart, for a paper"})
"""The kinds of charts, with a few words on each. `cornerstone figure` draws them."""

FIRST_FORM = "csv"
"""The format that is chosen until the user chooses another."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows that a screen shows, of a table or a query: filtered and sorted as there. ``words`` say which they are."""

    name: str
    row: type
    rows: tuple[Any, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to write, its format, and the file to write it to: ``shown`` rows, or (None) all of a table."""

    store: Path
    table: str
    scope: Scope
    form: str
    target: str
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A table or chart that was written: its file, and its number of rows. ``left_out`` has a sentence for each gap."""

    path: Path
    rows: int | None
    left_out: tuple[str, ...]


def write_table(wanted: Wanted, *, force: bool) -> Written | None:
    """Write a table; return None if the file exists and ``force`` does not allow to replace it.

    Raises:
        CornerstoneError: the store cannot be read or has no answer, or the file cannot be written.
    """
    from store.export import write

    path = target_path(wanted.target)
    if form_of(path) not in {None, wanted.form}:
        raise CornerstoneError(f"{path.name} ends in {path.suffix}, and {wanted.form} is chosen: change one of them")
    if is_there(path) and not force:
        return None
    if wanted.form in CHARTS:
        from tui.explorer.write_chart import write_chart

        return Written(path, None, write_chart(wanted.store, wanted.table, wanted.scope, path, force=force))
    if wanted.shown is not None:
        write(wanted.shown.rows, wanted.shown.row, wanted.form, path, force=force)
        return Written(path, len(wanted.shown.rows), ())
    from store.results import Results
    from tui.drawing.gap_text import gap_texts

    table = tables()[wanted.table]
    answer = table.read(Results(wanted.store, PATIENCE_S), wanted.scope.asked_of(table))
    gaps = gap_texts(answer.gaps, wanted.store)
    if gaps and not answer.rows:
        raise CornerstoneError("; ".join(gaps))
    write(answer.rows, table.row, wanted.form, path, force=force)
    return Written(path, len(answer.rows), gaps)


def form_of(path: Path) -> str | None:
    """Return the format or kind of chart whose files end as ``path`` does; None where there is none."""
    chart = path.suffix.lower().removeprefix(".")
    if chart in CHARTS:
        return chart
    found = format_of(path)
    return None if found is None else found.name


def ending_of(form: str) -> str:
    """Return the usual ending of files of a format or kind of chart."""
    return f".{form}" if form in CHARTS else formats()[form].endings[0]


def is_there(path: Path) -> bool:
    """Return whether there is a file already.

    Raises:
        CornerstoneError: that cannot be told.
    """
    try:
        return path.exists()
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def target_path(text: str) -> Path:
    """Return the path that a text names.

    Raises:
        CornerstoneError: it names none, or a folder.
    """
    if not text.strip():
        raise CornerstoneError("name the file to write")
    try:
        path = Path(text.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise CornerstoneError(f"{text.strip()}: there is no such home folder") from error
    try:
        if path.is_dir():
            raise CornerstoneError(f"{path} is a folder; name a file in it")
    except OSError as error:
        raise CornerstoneError(f"cannot write {text.strip()}: {error.strerror}") from error
    return path
