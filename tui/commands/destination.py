"""Where a command's rows go: to stdout, or to a file in the format of its name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer

from core.errors import CornerstoneError
from core.machine.atomic_file import refuse_target
from tui.commands.stdout import print_text
from tui.drawing.plain import counted, plain, plain_lines


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class Destination:
    """What rows are written as, and where: to ``file``, or to stdout where it is None."""

    form: Format
    file: Path | None
    force: bool


def destination(form: Format | None, output: Path | None, *, force: bool) -> Destination:
    """The format asked for, else the one that the file's name ends in, else a table on stdout.

    It is asked before the work, so that what cannot be written is told before it and not after it.

    Raises:
        CornerstoneError: the format does not fit where the rows go, or the file may not or cannot be written.
    """
    if output is None:
        if form is Format.PARQUET:
            raise CornerstoneError("Parquet is no text; name a file with -o FILE")
        return Destination(form or Format.TABLE, None, force)
    output = output.expanduser()
    ending = output.suffix.removeprefix(".").lower()
    form = form or (Format(ending) if ending in {Format.CSV, Format.JSON, Format.PARQUET} else Format.TABLE)
    refuse_target(output, force=force)
    if form is Format.TABLE:
        raise CornerstoneError(
            "-o writes csv, json or parquet: let the file's name end in one of them, or choose with --format"
        )
    return Destination(form, output, force)


def put_rows(rows: Sequence[Any], row_type: type, to: Destination) -> None:
    """Write rows as data; a table is for each command to draw."""
    from store.export import to_csv, to_json, write

    if to.file is not None:
        write(rows, row_type, to.form, to.file, force=to.force)
        typer.echo(f"wrote {counted(len(rows), 'row')} to {plain(str(to.file))}", err=True)
        return
    text = to_csv(rows, row_type) if to.form is Format.CSV else to_json(rows)
    print_text(plain_lines(text) if sys.stdout.isatty() else text)


def tell_doubts(gaps: Iterable[str], notes: Iterable[str]) -> None:
    """Say on stderr what an answer leaves out, and what is to be known of its rows."""
    for gap in gaps:
        typer.echo(f"left out: {plain(gap)}", err=True)
    for note in notes:
        typer.echo(f"note: {plain(note)}", err=True)
