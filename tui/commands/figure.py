"""`cornerstone figure`: what is stored as a figure for a paper or a slide. matplotlib is loaded here and only then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from core.errors import CornerstoneError
from core.estimators.registry import ESTIMATORS
from core.machine.atomic_file import refuse_target
from tui.commands.destination import tell_doubts
from tui.commands.options import (
    ForceOption,
    MaxRemovedOption,
    OrdersSeedOption,
    PermutationsOption,
    PlayersOption,
    RunOption,
    StoredModelOption,
    StoredOption,
    StoredTasksOption,
    ToleranceOption,
    ValueOption,
)
from tui.commands.uneven import uneven
from tui.drawing.plain import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from store.results import Answer
    from store.rows import Selection
    from tui.figures.style import Width


class Kind(StrEnum):
    """What a figure shows."""

    ABLATION = "ablation"
    SHAPLEY = "shapley"
    SHARES = "shares"
    INTERACTIONS = "interactions"


class Room(StrEnum):
    """How wide a figure is."""

    COLUMN = "column"
    PAGE = "page"


def figure(
    kind: Annotated[Kind, typer.Argument(help="ablation, shapley, shares or interactions.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file: its ending, svg, pdf or png, chooses.")],
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTasksOption = None,
    run: RunOption = None,
    value: ValueOption = "acc",
    estimator: Annotated[str, typer.Option(help=f"Of Shapley values: {', '.join(ESTIMATORS)}.")] = ESTIMATORS[0],
    max_removed: MaxRemovedOption = DEFAULT_MAX_REMOVED,
    players: PlayersOption = SUBLAYERS,
    permutations: PermutationsOption = DEFAULT_PERMUTATIONS,
    seed: OrdersSeedOption = 0,
    tolerance: ToleranceOption = DEFAULT_TOLERANCE,
    width: Annotated[Room, typer.Option(help="Of a page's text, or of one column of two.")] = Room.PAGE,
    force: ForceOption = False,
) -> None:
    """Draw what is stored, for a paper or a slide: a panel for each model and task.

    Example: cornerstone figure shapley --task agreement --players blocks:3 --estimator exact -o blocks.pdf
    """
    if find_spec("matplotlib") is None:
        raise CornerstoneError("figures need matplotlib, which is not installed: pip install 'cornerstone[figures]'")
    from core.estimators.question import Question
    from store.results import Results, Selection
    from tui.figures.save import format_of, save

    output = output.expanduser()
    format_of(output)  # before the work, not after it
    refuse_target(output, force=force)
    if kind in {Kind.ABLATION, Kind.INTERACTIONS} and players != SUBLAYERS:
        raise CornerstoneError(f"figure {kind} is of single sublayers; --players is for shapley and shares")
    question = Question(estimator, players, max_removed, permutations, seed, tolerance)
    question.refuse_nonsense()
    results = Results(None if store is None else store.expanduser())

    def read(selection: Selection) -> Answer[Any]:
        match kind:
            case Kind.ABLATION:
                return results.ablation(selection, value)
            case Kind.INTERACTIONS:
                return results.interactions(selection, value, max_removed)
            case _:
                return results.answers([question], selection, value)

    tasks: Sequence[str | None] = task or [None]
    rows = _rows(read, [Selection(model, one, run) for one in tasks])
    save(_drawn(kind, rows, width.value), output, force=force)
    typer.echo(f"wrote {plain(str(output))}", err=True)


def _rows(read: Callable[[Selection], Answer[Any]], selections: Sequence[Selection]) -> list[Any]:
    answers = [read(selection) for selection in selections]
    gaps = [gap for answer in answers for gap in answer.gaps]
    rows = list(dict.fromkeys(row for answer in answers for row in answer.rows))
    if not rows:
        raise CornerstoneError("; ".join(gaps) or "nothing is stored for this yet; `cornerstone run` makes some")
    tell_doubts(gaps, [*dict.fromkeys(note for answer in answers for note in answer.notes), *uneven(rows)])
    return rows


def _drawn(kind: Kind, rows: Sequence[Any], width: Width) -> Figure:
    from tui.figures.ablation import ablation_figure
    from tui.figures.interactions import interactions_figure
    from tui.figures.shapley import shapley_figure
    from tui.figures.shares import shares_figure

    draw: dict[Kind, Callable[..., Figure]] = {
        Kind.ABLATION: ablation_figure,
        Kind.SHAPLEY: shapley_figure,
        Kind.SHARES: shares_figure,
        Kind.INTERACTIONS: interactions_figure,
    }
    return draw[kind](rows, width=width)
