"""`cornerstone results`: a subcommand for each table of results, built from the table's own description."""

from __future__ import annotations

import inspect
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import DEFAULT_MAX_REMOVED
from core.errors import CornerstoneError
from core.estimators.registry import window_readings
from store.rows import InteractionRow, Selection
from store.tables import Asked, Option, Table, tables
from tui.commands.destination import TABLE, Destination, put_rows, tell_doubts
from tui.commands.option_groups import grouped
from tui.commands.options import (
    CostOption,
    EstimatorOption,
    EstimatorSettings,
    ExactPlayersOption,
    MaxRemovedOption,
    Output,
    PaperTasksOption,
    PaperValueOption,
    PlayersOption,
    ReferenceOption,
    RunOption,
    ShapiqOption,
    StoredModelOption,
    StoredOption,
    StoredTaskOption,
    TopOption,
    ValueOption,
    WindowEstimatorOption,
    store_file,
)
from tui.commands.stderr import narrate, narrate_lines
from tui.commands.stdout import print_text

if TYPE_CHECKING:
    from store.results import Answer, Results

app = typer.Typer(help="Read what is stored, as tables for people or as CSV, JSON and other formats for programs.")

_TO_STDOUT = Output()
_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_OPTIONS: Mapping[Option, tuple[str, Any, Any]] = {
    "model": ("model", StoredModelOption, None),
    "task": ("task", StoredTaskOption, None),
    "tasks": ("tasks", PaperTasksOption, None),
    "run": ("run", RunOption, None),
    "value": ("value", ValueOption, None),
    "authors' value": ("value", PaperValueOption, None),
    "estimator": ("estimator", EstimatorOption, None),
    "window estimator": ("estimator", WindowEstimatorOption, window_readings()[0]),
    "units": ("players", PlayersOption, SUBLAYERS),
    "exact units": ("players", ExactPlayersOption, None),
    "settings": ("settings", EstimatorSettings, inspect.Parameter.empty),
    "max_removed": ("max_removed", MaxRemovedOption, DEFAULT_MAX_REMOVED),
    "top": ("top", TopOption, 3),
    "shapiq": ("shapiq", ShapiqOption, False),
    "cost": ("cost", CostOption, None),
    "reference": ("reference", ReferenceOption, None),
}
"""The parameter of a command for each option of a table: its name, its annotation and its default."""


_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "ablation": ("Example: cornerstone results ablation --cost 0.05",),
    "shapley": ("Example: cornerstone results shapley --players blocks:3 --estimator exact --value margin",),
    "estimators": (
        "Example: cornerstone run --players blocks:3 --schedule exact --task agreement; cornerstone estimators",
    ),
    "formats": (
        "Example, after the same run in float32: cornerstone run --task agreement --schedule windows --dtype bfloat16; "
        "cornerstone results formats",
    ),
}


def table_command(table: Table) -> Callable[..., None]:
    """Make the command that prints or writes a table."""

    def command(*, store: Path | None, to: Output, **options: Any) -> None:
        where, results = to.checked(), _results(store)
        emit(table.read(results, _asked(options)), table, where, results.path)

    parameters = [
        inspect.Parameter("store", _KEYWORD, default=None, annotation=StoredOption),
        *(
            inspect.Parameter(name, _KEYWORD, default=default, annotation=annotation)
            for name, annotation, default in (_OPTIONS[option] for option in table.takes)
        ),
        inspect.Parameter("to", _KEYWORD, annotation=Output),
    ]
    command.__name__ = table.name
    command.__doc__ = "\n\n".join([inspect.cleandoc(table.summary), *_EXAMPLES.get(table.name, ())])
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return grouped(command)


def _asked(options: dict[str, Any]) -> Asked:
    settings = dict(options.get("settings", {}))
    if "max_removed" in options:
        settings["max_removed"] = options["max_removed"]
    return Asked(
        selection=Selection(options.get("model"), options.get("task"), options.get("run")),
        tasks=tuple(options.get("tasks") or ()),
        value=options.get("value"),
        estimator=options.get("estimator"),
        players=options.get("players"),
        settings=settings,
        top=options.get("top", 3),
        shapiq=options.get("shapiq", False),
        cost=options.get("cost"),
        reference=options.get("reference"),
    )


def emit(answer: Answer[Any], table: Table, to: Destination, store: Path) -> None:
    """Print or write an answer of a store, and print its gaps on stderr.

    Raises:
        CornerstoneError: the answer has gaps and no rows.
    """
    from tui.commands.row_table import print_rows
    from tui.drawing.gap_text import gap_texts, note_texts

    gaps = gap_texts(answer.gaps, store)
    if gaps and not answer.rows:
        raise CornerstoneError("; ".join(gaps))
    if to.form == TABLE and table.row is InteractionRow and sys.stdout.isatty():
        _draw_interactions(answer.rows)
    tell_doubts(gaps, note_texts([answer], store))
    if not answer.rows:
        typer.echo("nothing is stored for this yet", err=True)
    if to.form == TABLE:
        print_rows(answer.rows, table.row, table.dropped)
    else:
        put_rows(answer.rows, table.row, to)


def _draw_interactions(rows: Sequence[InteractionRow]) -> None:
    from tui.drawing.interaction_chart import interaction_chart

    width, colour = shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR")
    for group in dict.fromkeys((row.model_id, row.task_id) for row in rows):
        chosen = [row for row in rows if (row.model_id, row.task_id) == group]
        print_text(interaction_chart(chosen, width=width, colour=colour) + "\n")


def sql(
    query: Annotated[str, typer.Argument(help='A query of DuckDB, such as "SELECT * FROM runs".')],
    *,
    store: StoredOption = None,
    to: Output = _TO_STDOUT,
) -> None:
    """Answer a query in SQL over the tables of the store. It only reads: no other file, no network, no extension.

    A query may take 5 seconds and 256 MB of memory. At most 100000 rows are kept.

    Example: cornerstone results sql "SELECT model, count(*) FROM outcomes GROUP BY model"
    """
    from store.sql.query import Query, QueryError
    from tui.commands.row_table import print_rows

    where = to.checked()
    try:
        found = Query(store_file(store), query).result(narrate)
    except QueryError as error:
        if error.where:
            narrate_lines(error.where)
        raise
    tell_doubts((), filter(None, [found.note]))
    if where.form == TABLE:
        print_rows(found.rows, found.row, as_they_are=True)
    else:
        put_rows(found.rows, found.row, where)


def _results(store: Path | None) -> Results:
    from store.results import Results

    return Results(store_file(store), on_wait=narrate)


estimators = table_command(tables()["estimators"])
"""The command `cornerstone estimators`, which is a subcommand of results too."""

for each in tables().values():
    app.command(each.name)(table_command(each))
app.command("sql")(grouped(sql))
