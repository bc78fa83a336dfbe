"""`cornerstone results`: everything stored, as tables, CSV, JSON or Parquet."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import CornerstoneError
from core.estimators.names import WINDOW_ESTIMATORS
from core.grouping import SUBLAYERS
from core.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from store.rows import (
    AblationRow,
    AgreementRow,
    CoalitionRow,
    CornerstoneRow,
    InteractionRow,
    OutcomeRow,
    RunRow,
    Selection,
    ShapleyRow,
)
from tui.out import print_text
from tui.text import counted, plain, plain_lines

if TYPE_CHECKING:
    from store.results import Answer, Results

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
ValueOption = Annotated[
    str, typer.Option("--value", help="acc, acc_norm, another metric that is a mean, gold_logprob, margin or brier.")
]
MaxRemovedOption = Annotated[int, typer.Option(min=1, max=8, help="The longest window.")]
_ESTIMATORS = "window-first, window-ends (by default both), exact, permutation or leave-one-out."
_EXACT_OF = "Of which units: layers, blocks:K or kinds; by default all whose exact values are stored."
PLAYERS = "Who is removed: sublayers (default), layers, blocks:K (K consecutive layers) or kinds."
TOLERANCE = f"At which a walk ends: so near the score with nothing left (default {DEFAULT_TOLERANCE})."
PlayersOption = Annotated[str, typer.Option("--players", help=PLAYERS)]
PermutationsOption = Annotated[int, typer.Option(help="Walks, for permutation.")]
SeedOption = Annotated[int, typer.Option(help="Of the orders of permutation.")]
ToleranceOption = Annotated[float, typer.Option(min=0, help=TOLERANCE)]
FormatOption = Annotated[
    Format | None, typer.Option("--format", help="table (default), csv, json or parquet; with -o, by the file's name.")
]
OutOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file instead of stdout.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the output file if it exists.")]


@app.command()
def ablation(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Each layer removed alone: its score, and the paired drop against the intact model."""
    answer = _results(store).ablation(Selection(model, task, run), value)
    _emit(answer, AblationRow, form, output, force=force)


@app.command()
def coalitions(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Every stored coalition, by the numbers of its removed players."""
    answer = _results(store).coalitions(Selection(model, task, run), value)
    _emit(answer, CoalitionRow, form, output, force=force)


@app.command()
def outcomes(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Every document under every coalition, with its log-probabilities."""
    _emit(_results(store).outcomes(Selection(model, task, run)), OutcomeRow, form, output, force=force)


@app.command()
def shapley(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    estimator: Annotated[str | None, typer.Option(help=_ESTIMATORS)] = None,
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    players: PlayersOption = SUBLAYERS,
    permutations: PermutationsOption = DEFAULT_PERMUTATIONS,
    seed: SeedOption = 0,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE,
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Shapley values by player, with standard errors, shares and intervals.

    Example: cornerstone results shapley --players blocks:3 --estimator exact --value margin
    """
    answer = _results(store).shapley(
        Selection(model, task, run),
        value,
        estimator,
        max_removed,
        players=players,
        permutations=permutations,
        seed=seed,
        tolerance=tolerance,
    )
    _emit(answer, ShapleyRow, form, output, force=force)


def estimators(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    players: Annotated[str | None, typer.Option("--players", help=_EXACT_OF)] = None,
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    top: Annotated[int, typer.Option(min=1, help="How many units count as the top.")] = 3,
    permutations: PermutationsOption = DEFAULT_PERMUTATIONS,
    seed: SeedOption = 0,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE,
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """How far off are the estimators? Each against the exact values, where those are stored.

    Example: cornerstone run --players blocks:3 --schedule exact --task agreement; cornerstone estimators
    """
    answer = _results(store).agreement(
        Selection(model, task, run),
        value,
        players,
        max_removed,
        top=top,
        permutations=permutations,
        seed=seed,
        tolerance=tolerance,
    )
    _emit(answer, AgreementRow, form, output, force=force)


@app.command()
def interactions(
    store: StoreOption = None,
    model: ModelOption = None,
    task: TaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Which neighbouring layers back each other up (effect below 0), and which need each other (above 0).

    The effect of a window is the sum of its players' single drops less the drop without all of them.
    """
    answer = _results(store).interactions(Selection(model, task, run), value, max_removed)
    if output is None and form in {None, Format.TABLE} and sys.stdout.isatty():
        _draw_interactions(answer.rows)
    _emit(answer, InteractionRow, form, output, force=force)


@app.command()
def cornerstones(
    store: StoreOption = None,
    model: ModelOption = None,
    task: Annotated[list[str] | None, typer.Option(help="Instead of the paper's tasks; repeatable.")] = None,
    value: Annotated[str | None, typer.Option(help="The metric (default: acc_norm where defined, else acc).")] = None,
    estimator: Annotated[str, typer.Option(help=" or ".join(WINDOW_ESTIMATORS))] = WINDOW_ESTIMATORS[0],
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    form: FormatOption = None,
    output: OutOption = None,
    force: ForceOption = False,
) -> None:
    """Which layers the rule calls cornerstones: their loss alone collapses the model, and their share dominates."""
    from store.paper import PaperSelection

    models = () if model is None else (model,)
    selection = PaperSelection(models, tuple(task or ()), value, estimator, max_removed)
    _emit(_results(store).cornerstones(selection), CornerstoneRow, form, output, force=force)


@app.command()
def runs(
    store: StoreOption = None, form: FormatOption = None, output: OutOption = None, force: ForceOption = False
) -> None:
    """Every run, the latest first."""
    _emit(_results(store).runs(), RunRow, form, output, force=force)


def _draw_interactions(rows: Sequence[InteractionRow]) -> None:
    from tui.interaction_chart import interaction_chart

    width, colour = shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR")
    for group in dict.fromkeys((row.model_id, row.task_id) for row in rows):
        chosen = [row for row in rows if (row.model_id, row.task_id) == group]
        print_text(interaction_chart(chosen, width=width, colour=colour) + "\n")


def _emit(answer: Answer[Any], row_type: type, form: Format | None, output: Path | None, *, force: bool) -> None:
    if answer.gaps and not answer.rows:
        raise CornerstoneError("; ".join(answer.gaps))
    for gap in answer.gaps:
        typer.echo(f"left out: {plain(gap)}", err=True)
    for note in answer.notes:
        typer.echo(f"note: {plain(note)}", err=True)
    if not answer.rows:
        typer.echo("nothing is stored for this yet", err=True)
    if output is not None:
        _write(answer.rows, row_type, _file_format(form, output), output.expanduser(), force=force)
    else:
        _print(answer.rows, row_type, form or Format.TABLE)


def _file_format(form: Format | None, output: Path) -> Format:
    """The format asked for, else the one that the file's name ends in."""
    ending = output.suffix.removeprefix(".").lower()
    form = form or (Format(ending) if ending in {Format.CSV, Format.JSON, Format.PARQUET} else None)
    try:
        folder = output.expanduser().is_dir()
    except OSError as error:
        raise CornerstoneError(f"cannot write {output}: {error.strerror}") from error
    if folder:
        raise CornerstoneError(f"{output} is a folder; name a file in it")
    if form is None or form is Format.TABLE:
        raise CornerstoneError(
            "-o writes csv, json or parquet: let the file's name end in one of them, or choose with --format"
        )
    return form


def _write(rows: Sequence[Any], row_type: type, form: Format, path: Path, *, force: bool) -> None:
    from store.export import write

    write(rows, row_type, form, path, force=force)
    typer.echo(f"wrote {counted(len(rows), 'row')} to {plain(str(path))}", err=True)


def _print(rows: Sequence[Any], row_type: type, form: Format) -> None:
    from store.export import to_csv, to_json
    from tui.row_table import print_rows

    if form is Format.PARQUET:
        raise CornerstoneError("Parquet is no text; name a file with -o FILE")
    if form is Format.TABLE:
        print_rows(rows, row_type)
        return
    text = to_csv(rows, row_type) if form is Format.CSV else to_json(rows)
    print_text(plain_lines(text) if sys.stdout.isatty() else text)


def _results(store: Path | None) -> Results:
    from store.results import Results

    return Results(None if store is None else store.expanduser())
