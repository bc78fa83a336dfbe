"""`cornerstone store`: check the file that keeps the outcomes, salvage a damaged one, merge several, compact one."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from core.errors import CornerstoneError, Mend
from core.machine.byte_count import in_bytes
from core.machine.paths import at_home
from store.file.patience import PATIENCE_S
from tui.commands.options import ForceOption, WaitOption, store_file
from tui.commands.stderr import narrate
from tui.commands.stdout import print_text
from tui.drawing.plain import counted, plain

if TYPE_CHECKING:
    from store.maintenance.check import Report
    from store.maintenance.salvage import Salvaged

app = typer.Typer(help="Check, salvage, merge and compact stores: the files that keep outcomes.")

_StoreArgument = Annotated[
    Path | None, typer.Argument(metavar="[STORE]", help="The store (default: the one in your data folder).")
]
_OTHER_ADVICE: Final = {
    Mend.OTHER_STORE: "name another file",
    Mend.MAKE_RESULTS: "`cornerstone run` makes some",
    Mend.UPGRADE: "upgrade, or name another file",
}
_LISTED: Final = 5
_NewOption = Annotated[Path, typer.Option("-o", "--output", help="The new store.")]


@app.command()
def check(
    store: _StoreArgument = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object: sound, problems, schema_version and outcomes.")
    ] = False,
    wait: WaitOption = PATIENCE_S,
) -> None:
    """Read all of a store, and say what is damaged. Nothing is changed.

    The exit code is 0 if the store is sound, 1 if it is damaged, and 2 if there is no such store.

    Example: cornerstone store check results.duckdb
    """
    from store.maintenance.check import check as examine

    with _own_words():
        path = store_file(store)
        report = examine(path, wait, narrate)
    if as_json:
        print_text(json.dumps(_as_json(report), indent=2) + "\n")
    else:
        print_text(_in_words(report, path))
    for note in report.notes:
        typer.echo(f"note: {plain(note)}", err=True)
    if not report.sound:
        command = f"cornerstone store salvage {shlex.quote(str(path))} -o NEW"
        typer.echo(f"`{plain(command)}` copies what can be read", err=True)
        raise typer.Exit(1)


@app.command()
def salvage(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="The damaged store. It is not touched.")],
    output: _NewOption,
    force: ForceOption = False,
    wait: WaitOption = PATIENCE_S,
) -> None:
    """Copy what can be read of a damaged store into a new one, and say what is lost.

    The exit code is 0 if any outcome was saved, and 1 if none was. `cornerstone run` evaluates again what is lost.

    Example: cornerstone store salvage results.duckdb -o saved.duckdb
    """
    from store.maintenance.salvage import NothingSaved
    from store.maintenance.salvage import salvage as save

    with _own_words():
        path, new = store_file(store), at_home(output)
        found = save(path, new, force=force, patience=wait, on_wait=narrate)
    if isinstance(found, NothingSaved):
        said = f"no outcome of {path} can be saved ({found.why}), so {new} was not written"
        typer.echo(plain(said), err=True)
        raise typer.Exit(1)
    print_text("".join(f"{line}\n" for line in _salvaged(found)))
    typer.echo(f"wrote {plain(str(new))}", err=True)


@app.command()
def merge(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="The stores to merge, two or more.")],
    output: _NewOption,
    force: ForceOption = False,
    wait: WaitOption = PATIENCE_S,
) -> None:
    """Merge stores into a new one. An outcome that several stores have is taken once.

    If two stores have other numbers for the same outcome, nothing is written. The new store may be one of the merged
    ones with --force.

    Example: cornerstone store merge mine.duckdb theirs.duckdb -o both.duckdb
    """
    from store.maintenance.merge import merge as unite

    if len(stores) < 2:
        raise CornerstoneError(f"merge takes two stores or more, and {stores[0]} is one")
    with _own_words():
        new = at_home(output)
        found = unite(list(map(store_file, stores)), new, force=force, patience=wait, on_wait=narrate)
    lines = [
        f"{plain(str(each.path))}: {counted(each.outcomes, 'outcome')}, {each.new} of them new" for each in found.taken
    ]
    print_text("".join(f"{line}\n" for line in [*lines, f"{plain(str(new))}: {counted(found.outcomes, 'outcome')}"]))


@app.command()
def compact(store: _StoreArgument = None, wait: WaitOption = PATIENCE_S) -> None:
    """Write a store anew, without the space that is no longer in use. Other programs wait meanwhile.

    Example: cornerstone store compact
    """
    from store.maintenance.compact import compact as rewrite

    with _own_words():
        path = store_file(store)
        found = rewrite(path, wait, narrate)
    print_text(f"{plain(str(path))}: {_megabytes(found.before)} before, {_megabytes(found.after)} now\n")
    if found.mended:
        places = ", ".join(map(str, found.mended[:_LISTED]))
        more = f" and {len(found.mended) - _LISTED} more" if len(found.mended) > _LISTED else ""
        one = len(found.mended) == 1
        typer.echo(
            f"{'a part' if one else f'{len(found.mended)} parts'} of it {'was' if one else 'were'} damaged (at byte "
            f"{places}{more}) and held no rows, such as an index; the new file has all rows, and is sound",
            err=True,
        )


@contextmanager
def _own_words() -> Iterator[None]:
    """Give the advice of these commands, to which a store is named without an option."""
    try:
        yield
    except CornerstoneError as error:
        if error.mend not in _OTHER_ADVICE:
            raise
        raise CornerstoneError(f"{error}; {_OTHER_ADVICE[error.mend]}") from error


def _megabytes(size: int) -> str:
    return in_bytes(size)


def _as_json(report: Report) -> dict[str, object]:
    return {
        "sound": report.sound,
        "problems": list(report.problems),
        "schema_version": report.schema_version,
        "outcomes": report.outcomes,
    }


def _in_words(report: Report, path: Path) -> str:
    if report.sound:
        head = f"{plain(str(path))} is sound: {counted(report.outcomes or 0, 'outcome')}\n"
    else:
        count = "" if report.outcomes is None else f"; it counts {counted(report.outcomes, 'outcome')}"
        head = f"{plain(str(path))} is damaged{count}\n"
    return head + "".join(f"- {plain(problem)}\n" for problem in report.problems)


def _salvaged(found: Salvaged) -> list[str]:
    lines = []
    if found.how:
        lines.append(found.how)
    if found.corrected:
        lines.append(f"{counted(found.corrected, 'block')} had one wrong byte, which was put right")
    for each in found.tables:
        lost = [f"{number} {what}" for number, what in each.dropped]
        lost += [f"{each.placeholders} without the texts, which are lost"] if each.placeholders else []
        if each.table == "outcomes" or not each.whole:
            of = "an unknown number" if each.of is None else each.of
            lines.append(f"{each.table}: {each.saved} of {of} saved" + "".join(f"; {one}" for one in lost))
    return lines
