"""`cornerstone results`: everything stored, as tables, CSV, JSON or Parquet."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.errors import CornerstoneError
from core.schedules import DEFAULT_MAX_REMOVED
from store.export import columns_of, to_csv, to_json, write
from store.results import Answer, Results, Selection
from store.rows import AblationRow, CoalitionRow, OutcomeRow, RunRow, ShapleyRow
from tui.text import plain

app = typer.Typer(help="Read what is stored: tables for people, CSV, JSON and Parquet for programs.")


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


StoreOption = Annotated[Path | None, typer.Option("--store", help="The store; by default in the user's data folder.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="Only this model: its name, name@id or id.")]
TaskOption = Annotated[str | None, typer.Option("--task", help="Only this task: its name, name@id or id.")]
RunOption = Annotated[str | None, typer.Option("--run", help="Only what this run asked for.")]
ValueOption = Annotated[str, typer.Option("--value", help="The metric: acc, acc_norm, or another that is a mean.")]
FormatOption = Annotated[Format, typer.Option("--format", help="table, csv, json or parquet.")]
OutOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]


@app.command()
def ablation(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    form: FormatOption = Format.TABLE,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Each layer removed alone: its score, and the paired drop against the intact model."""
    answer = Results(store).ablation(Selection(model, task, run), value)
    _emit(answer, AblationRow, form, output, force=force)


@app.command()
def coalitions(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    form: FormatOption = Format.TABLE,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Every stored coalition, by the numbers of its removed players."""
    _emit(Results(store).coalitions(Selection(model, task, run)), CoalitionRow, form, output, force=force)


@app.command()
def outcomes(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    form: FormatOption = Format.TABLE,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Every document under every coalition, with its log-probabilities."""
    _emit(Results(store).outcomes(Selection(model, task, run)), OutcomeRow, form, output, force=force)


@app.command()
def shapley(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    estimator: Annotated[str | None, typer.Option(help="window-first or window-ends; by default both.")] = None,
    max_removed: Annotated[int, typer.Option(min=1, max=8, help="The longest window.")] = DEFAULT_MAX_REMOVED,
    form: FormatOption = Format.TABLE,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Shapley values by player, with standard errors, shares and intervals."""
    answer = Results(store).shapley(Selection(model, task, run), value, estimator, max_removed)
    _emit(answer, ShapleyRow, form, output, force=force)


@app.command()
def runs(
    store: StoreOption = None, form: FormatOption = Format.TABLE, output: OutOption = None, force: ForceOption = False
) -> None:
    """Every run, the latest first."""
    _emit(Results(store).runs(), RunRow, form, output, force=force)


def _emit(answer: Answer[Any], row_type: type, form: Format, output: Path | None, *, force: bool) -> None:
    if answer.gaps and not answer.rows:
        raise CornerstoneError("; ".join(answer.gaps))
    for gap in answer.gaps:
        typer.echo(f"left out: {gap}", err=True)
    if output is not None:
        if form is Format.TABLE:
            raise CornerstoneError("-o writes csv, json or parquet; choose one with --format")
        write(answer.rows, row_type, form, output, force=force)
        typer.echo(f"wrote {len(answer.rows)} rows to {output}", err=True)
    elif form is Format.PARQUET:
        raise CornerstoneError("Parquet is no text; name a file with -o FILE")
    elif form is Format.TABLE:
        _print_table(answer, row_type)
    else:
        sys.stdout.write(to_csv(answer.rows, row_type) if form is Format.CSV else to_json(answer.rows))


def _print_table(answer: Answer[Any], row_type: type) -> None:
    several = len({row.task_id for row in answer.rows if hasattr(row, "task_id")}) > 1
    hidden = set() if several else {"model_id", "task_id"}
    names = [name for name in columns_of(row_type) if name not in hidden]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        numeric = bool(answer.rows) and isinstance(getattr(answer.rows[0], name), int | float)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=not sys.stdout.isatty())
    for row in answer.rows:
        table.add_row(*(Text(_cell(getattr(row, name))) for name in names))
    Console(markup=False, width=None if sys.stdout.isatty() else 10_000).print(table)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.3f}"
        case tuple():
            return "[" + ", ".join(_cell(item) for item in value) + "]"
        case _:
            return plain(str(value))
