"""`cornerstone path`: search a removal path; print its steps on stderr, and a table and a chart on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NoReturn, TypeVar

import pydantic
from rich import box
from rich.table import Table

from core.config.run_config import RunConfig
from core.machine.atomic_file import refuse_target
from core.removal_path.path_listener import PathListener
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow
from core.values.derived import named
from tui.commands.console_listener import ConsoleListener
from tui.commands.destination import TABLE, Destination, put_rows
from tui.commands.signals import cause_of, exit_code, terminable
from tui.commands.stderr import GETTING_READY, narrate
from tui.commands.stdout import tables_console
from tui.drawing.numbers import signed_between
from tui.drawing.path_chart import path_chart
from tui.drawing.path_text import path_header, path_lines, path_title
from tui.worker_process import become

Found = TypeVar("Found")


@pydantic.dataclasses.dataclass(frozen=True, slots=True)
class PathFiles:
    """The destination of a path's rows, and the file for its mask, if one is asked for."""

    rows: Destination
    mask: Path | None


FILES: Final = pydantic.TypeAdapter(PathFiles)


def path(config: RunConfig, request: PathRequest, files: PathFiles, command: str, wait: float) -> NoReturn:
    """Check the request and the files, and become the program that searches the path.

    It waits for ``wait`` seconds while another program holds the store.
    """
    request.refuse_nonsense()
    if files.mask is not None:
        refuse_target(files.mask, force=files.rows.force)
    narrate(GETTING_READY)
    texts = (config.model_dump_json(), request.model_dump_json(), FILES.dump_json(files).decode())
    become("path", *texts, command, str(wait))


def followed(store: Path, search: Callable[[PathListener], Found]) -> Found:
    """Search a path and narrate it. If it is stopped from outside, say what is kept and end the program."""
    listener = _PathConsole()
    try:
        with terminable() as listener.check:
            return search(listener)
    except KeyboardInterrupt as stop:
        listener.close()
        last = listener.last_step
        far = "before the first step" if last is None else f"after step {last}"
        listener.narrate(
            f"stopped by {cause_of(stop)}, {far}; what was evaluated is kept for {store}, and the same command goes on "
            "from there"
        )
        sys.exit(exit_code(stop))
    finally:
        listener.close()


class _PathConsole(ConsoleListener):
    """A ``PathListener`` that narrates every step."""

    def __init__(self) -> None:
        super().__init__()
        self.last_step: int | None = None

    def on_step(self, rows: Sequence[PathRow]) -> None:
        self.last_step = rows[-1].step
        self.narrate(_sentence(rows[-1]))


def put_path(rows: Sequence[PathRow], to: Destination) -> None:
    """Write a path: a table and a chart of the means over tasks, or all rows as data."""
    if to.form != TABLE:
        put_rows(rows, PathRow, to)
        return
    most = max(len(row.tasks) for row in rows)
    overall = [row for row in rows if len(row.tasks) == most]
    out = tables_console()
    out.print(path_title(overall), soft_wrap=True)
    out.print(path_table(overall))
    out.print(path_chart(overall, colour=out.is_terminal), soft_wrap=True)


def path_table(rows: Sequence[PathRow]) -> Table:
    """Return a table with a line for each step: the removed player, the remaining weights, and the scores."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in path_header(rows):
        table.add_column(name, justify="left" if name == "removed" else "right", no_wrap=True)
    for _, cells in path_lines(rows):
        table.add_row(*cells)
    return table


def _sentence(row: PathRow) -> str:
    if row.label is None:
        return f"intact ({named(row.value)}): {row.score:.3f} on {', '.join(row.tasks)}, n={row.n}"
    tied = f", {row.tied} of them tied" if row.tied > 1 else ""
    kept = 1 - row.parameters_removed / row.parameters_total
    return (
        f"step {row.step}: {row.label} removed, the best of {row.candidates}{tied}: {row.value} {row.score:.3f}, drop "
        f"{row.drop:+.3f} ({signed_between(row.drop_low, row.drop_high)}), {kept:.1%} of the parameters"
    )
