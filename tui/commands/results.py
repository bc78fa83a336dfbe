"""`cornerstone results`: everything stored, as tables or in any format."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from core.errors import CornerstoneError
from core.estimators.registry import WINDOW_ESTIMATORS
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
from tui.commands.destination import TABLE, Destination, destination, put_rows, tell_doubts
from tui.commands.options import (
    ForceOption,
    FormatOption,
    MaxRemovedOption,
    OrdersSeedOption,
    OutputOption,
    PaperTasksOption,
    PaperValueOption,
    PermutationsOption,
    PlayersOption,
    RunOption,
    StoredModelOption,
    StoredOption,
    StoredTaskOption,
    ToleranceOption,
    ValueOption,
    WindowEstimatorOption,
)
from tui.commands.stdout import print_text

if TYPE_CHECKING:
    from store.results import Answer, Results

app = typer.Typer(help="Read what is stored: tables for people, CSV, JSON, Arrow and Parquet for programs.")


_ESTIMATORS = "window-first, window-ends (by default both), exact, permutation or leave-one-out."
_EXACT_OF = "Of which units: layers, blocks:K or kinds; by default all whose exact values are stored."


@app.command()
def ablation(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Each layer removed alone: its score, and the paired drop against the intact model."""
    to = destination(form, output, force=force)
    answer = _results(store).ablation(Selection(model, task, run), value)
    _emit(answer, AblationRow, to)


@app.command()
def coalitions(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Every stored coalition, by the numbers of its removed players."""
    to = destination(form, output, force=force)
    answer = _results(store).coalitions(Selection(model, task, run), value)
    _emit(answer, CoalitionRow, to)


@app.command()
def outcomes(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Every document under every coalition, with its log-probabilities."""
    to = destination(form, output, force=force)
    _emit(_results(store).outcomes(Selection(model, task, run)), OutcomeRow, to)


@app.command()
def shapley(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    estimator: Annotated[str | None, typer.Option(help=_ESTIMATORS)] = None,
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    players: PlayersOption = SUBLAYERS,
    permutations: PermutationsOption = DEFAULT_PERMUTATIONS,
    seed: OrdersSeedOption = 0,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Shapley values by player, with standard errors, shares and intervals.

    Example: cornerstone results shapley --players blocks:3 --estimator exact --value margin
    """
    to = destination(form, output, force=force)
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
    _emit(answer, ShapleyRow, to)


def estimators(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    players: Annotated[str | None, typer.Option("--players", help=_EXACT_OF)] = None,
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    top: Annotated[int, typer.Option(min=1, help="How many units count as the top.")] = 3,
    permutations: PermutationsOption = DEFAULT_PERMUTATIONS,
    seed: OrdersSeedOption = 0,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """How far off are the estimators? Each against the exact values, where those are stored.

    Example: cornerstone run --players blocks:3 --schedule exact --task agreement; cornerstone estimators
    """
    to = destination(form, output, force=force)
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
    _emit(answer, AgreementRow, to)


@app.command()
def interactions(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTaskOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Which neighbouring layers back each other up (effect below 0), and which need each other (above 0).

    The effect of a window is the sum of its players' single drops less the drop without all of them.
    """
    to = destination(form, output, force=force)
    answer = _results(store).interactions(Selection(model, task, run), value, max_removed)
    if to.form == TABLE and sys.stdout.isatty():
        _draw_interactions(answer.rows)
    _emit(answer, InteractionRow, to)


@app.command()
def cornerstones(
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: PaperTasksOption = None,
    value: PaperValueOption = None,
    estimator: WindowEstimatorOption = WINDOW_ESTIMATORS[0],
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    form: FormatOption = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Which layers the rule calls cornerstones: their loss alone collapses the model, and their share dominates."""
    to = destination(form, output, force=force)
    from store.reading.paper import PaperSelection

    models = () if model is None else (model,)
    selection = PaperSelection(models, tuple(task or ()), value, estimator, max_removed)
    _emit(_results(store).cornerstones(selection), CornerstoneRow, to)


@app.command()
def runs(
    store: StoredOption = None, form: FormatOption = None, output: OutputOption = None, force: ForceOption = False
) -> None:
    """Every run, the latest first."""
    to = destination(form, output, force=force)
    _emit(_results(store).runs(), RunRow, to)


def _draw_interactions(rows: Sequence[InteractionRow]) -> None:
    from tui.drawing.interaction_chart import interaction_chart

    width, colour = shutil.get_terminal_size().columns, not os.environ.get("NO_COLOR")
    for group in dict.fromkeys((row.model_id, row.task_id) for row in rows):
        chosen = [row for row in rows if (row.model_id, row.task_id) == group]
        print_text(interaction_chart(chosen, width=width, colour=colour) + "\n")


def _emit(answer: Answer[Any], row_type: type, to: Destination) -> None:
    from tui.commands.row_table import print_rows

    if answer.gaps and not answer.rows:
        raise CornerstoneError("; ".join(answer.gaps))
    tell_doubts(answer.gaps, answer.notes)
    if not answer.rows:
        typer.echo("nothing is stored for this yet", err=True)
    if to.form == TABLE:
        print_rows(answer.rows, row_type)
    else:
        put_rows(answer.rows, row_type, to)


def _results(store: Path | None) -> Results:
    from store.results import Results

    return Results(None if store is None else store.expanduser())
