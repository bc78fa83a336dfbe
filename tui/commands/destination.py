"""The destination of a command's rows: stdout, or a file whose ending chooses the format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from core.errors import CornerstoneError
from core.machine.atomic_file import refuse_target
from core.machine.paths import at_home
from store.formats.registry import RESERVED, format_named, format_of, formats, no_format
from tui.commands.stdout import print_data
from tui.drawing.plain import counted, or_list, plain

TABLE: Final = RESERVED
"""The form of rows that each command draws as a table for the terminal."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The form of rows, and the ``file`` to write; None is stdout.

    ``form`` is ``TABLE`` or the name of a format.
    """

    form: str
    file: Path | None
    force: bool


def form_names() -> tuple[str, ...]:
    """Return the names of the forms that rows can have."""
    return (TABLE, *formats())


def form_of(text: str) -> str:
    """Return the form that an option names.

    Raises:
        typer.BadParameter: there is no such form.
    """
    known = form_names()
    if text not in known:
        raise typer.BadParameter(no_format(text, known))
    return text


def destination(form: str | None, output: Path | None, *, force: bool) -> Destination:
    """Return the format asked for, else that of the file's ending, else a table on stdout.

    Call it before the work, so that a file that cannot be written is refused first.

    Raises:
        CornerstoneError: the format does not fit where the rows go, or the file may not or cannot be written.
    """
    if output is None:
        form = form or TABLE
        if form != TABLE and not format_named(form).text:
            raise CornerstoneError(f"{form} is no text; name a file with -o FILE")
        return Destination(form, None, force)
    output = at_home(output)
    ending = format_of(output)
    form = form or (ending.name if ending else TABLE)
    refuse_target(output, force=force)
    if form == TABLE:
        known = formats().values()
        names, endings = [one.name for one in known], [one.endings[0] for one in known]
        raise CornerstoneError(
            f"-o writes {or_list(names)}: let the file's name end in {or_list(endings)}, or choose with --format"
        )
    return Destination(form, output, force)


def put_rows(rows: Sequence[Any], row_type: type, to: Destination) -> None:
    """Write rows as data. Each command draws tables by itself."""
    from store.export import render, write

    if to.file is not None:
        write(rows, row_type, to.form, to.file, force=to.force)
        typer.echo(f"wrote {counted(len(rows), 'row')} to {plain(str(to.file))}", err=True)
        return
    print_data(render(rows, row_type, to.form))


def tell_doubts(gaps: Iterable[str], notes: Iterable[str]) -> None:
    """Print the gaps of an answer and the notes on its rows on stderr."""
    for gap in gaps:
        typer.echo(f"left out: {plain(gap)}", err=True)
    for note in notes:
        typer.echo(f"note: {plain(note)}", err=True)
