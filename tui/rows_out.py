"""Rows that a command has just made: to stdout as CSV or JSON, or to a file in the format of its name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import typer

from core.errors import CornerstoneError
from store.export import FORMATS, to_csv, to_json, write
from tui.out import print_text
from tui.text import counted, plain, plain_lines

TABLE: Final = "table"


def form_for(form: str | None, output: Path | None) -> str:
    """The format asked for, else the one that the file's name ends in, else a table on stdout.

    Raises:
        CornerstoneError: there is no such format, or it does not fit where the rows go.
    """
    ending = "" if output is None else output.suffix.removeprefix(".").lower()
    chosen = form or (ending if ending in FORMATS else TABLE)
    if chosen not in {TABLE, *FORMATS}:
        raise CornerstoneError(f"no format {chosen!r}; there is {TABLE}, {', '.join(FORMATS)}")
    if output is not None and chosen == TABLE:
        raise CornerstoneError(
            "-o writes csv, json or parquet: let the file's name end in one of them, or choose with --format"
        )
    if output is None and chosen == "parquet":
        raise CornerstoneError("Parquet is no text; name a file with -o FILE")
    return chosen


def refuse_target(path: Path | None, *, force: bool) -> None:
    """Refuse before the work, not after it, a file that cannot be written.

    Raises:
        CornerstoneError: it is there and may not be replaced, it is a folder, or there is no folder to put it in.
    """
    if path is None:
        return
    try:
        if path.exists() and not path.is_file():
            raise CornerstoneError(f"{path} is a folder; name a file in it")
        if path.exists() and not force:
            raise CornerstoneError(f"{path} exists; add --force to replace it")
        if not path.parent.is_dir():
            raise CornerstoneError(f"cannot write {path}: there is no folder {path.parent}")
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def put_rows(rows: Sequence[Any], row_type: type, form: str, output: Path | None, *, force: bool) -> None:
    """Write rows where ``form_for`` and ``refuse_target`` found nothing to refuse; no table is written here."""
    if output is not None:
        write(rows, row_type, form, output, force=force)
        typer.echo(f"wrote {counted(len(rows), 'row')} to {plain(str(output))}", err=True)
        return
    text = to_csv(rows, row_type) if form == "csv" else to_json(rows)
    print_text(plain_lines(text) if sys.stdout.isatty() else text)
