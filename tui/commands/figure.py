"""`cornerstone figure`: draw stored results for a paper or a slide. Only this command loads matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.coalitions.grouping import SUBLAYERS
from core.errors import CornerstoneError
from core.estimators.registry import checked, estimator_named, estimators
from core.estimators.windows import WindowFirst
from core.machine.atomic_file import refuse_target
from core.machine.paths import at_home
from tui.commands.destination import tell_doubts
from tui.commands.options import (
    EstimatorSettings,
    ForceOption,
    PlayersOption,
    RunOption,
    StoredModelOption,
    StoredOption,
    StoredTasksOption,
    ValueOption,
    store_file,
)
from tui.commands.stderr import narrate
from tui.commands.uneven import uneven
from tui.drawing.plain import or_list, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from store.results import Answer
    from store.rows import Selection
    from tui.figures.style import Width


class Kind(StrEnum):
    """The kind of a figure."""

    ABLATION = "ablation"
    SHAPLEY = "shapley"
    SHARES = "shares"
    INTERACTIONS = "interactions"


class Room(StrEnum):
    """The width of a figure."""

    COLUMN = "column"
    PAGE = "page"


def figure(
    kind: Annotated[Kind, typer.Argument(help="What to draw: ablation, shapley, shares or interactions.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The file to write, which ends in .svg, .pdf or .png.")
    ],
    store: StoredOption = None,
    model: StoredModelOption = None,
    task: StoredTasksOption = None,
    run: RunOption = None,
    value: ValueOption = None,
    estimator: Annotated[
        str, typer.Option(help=f"The estimator of Shapley values: {or_list(estimators())}.")
    ] = WindowFirst.name,
    players: PlayersOption = SUBLAYERS,
    settings: EstimatorSettings = MappingProxyType({}),
    width: Annotated[
        Room, typer.Option(help="How wide the figure is: as a page's text, or as one of two columns.")
    ] = Room.PAGE,
    force: ForceOption = False,
) -> None:
    """Draw what is stored for a paper or a slide, with a panel for each model and task.

    Example: cornerstone figure shapley --task agreement --players blocks:3 --estimator exact -o blocks.pdf
    """
    if find_spec("matplotlib") is None:
        raise CornerstoneError("figures need matplotlib, which is not installed: pip install 'cornerstone[figures]'")
    from core.estimators.question import Question
    from store.results import Results, Selection
    from tui.figures.formats import format_of

    output = at_home(output)
    format_of(output)  # before the work, not after it
    refuse_target(output, force=force)
    if kind in {Kind.ABLATION, Kind.INTERACTIONS} and players != SUBLAYERS:
        raise CornerstoneError(f"figure {kind} is of single sublayers; --players is for shapley and shares")
    question = Question(estimator_named(estimator, checked(settings)), players)
    results = Results(store_file(store), on_wait=narrate)

    def read(selection: Selection) -> Answer[Any]:
        match kind:
            case Kind.ABLATION:
                return results.ablation(selection, value)
            case Kind.INTERACTIONS:
                return results.interactions(selection, value, WindowFirst.of(settings).max_removed)
            case _:
                return results.answers([question], selection, value)

    tasks: Sequence[str | None] = task or [None]
    rows = _rows([read(Selection(model, one, run)) for one in tasks], results.path)
    _save(_drawn(kind, rows, width.value), output, force=force)
    typer.echo(f"wrote {plain(str(output))}", err=True)


def _save(figure: Figure, output: Path, *, force: bool) -> None:
    from tui.figures.save import save

    save(figure, output, force=force)


def _rows(answers: Sequence[Answer[Any]], store: Path) -> list[Any]:
    from tui.drawing.gap_text import gap_texts, note_texts

    gaps = gap_texts((gap for answer in answers for gap in answer.gaps), store)
    rows = list(dict.fromkeys(row for answer in answers for row in answer.rows))
    if not rows:
        raise CornerstoneError("; ".join(gaps) or "nothing is stored for this yet; `cornerstone run` makes some")
    tell_doubts(gaps, [*note_texts(answers, store), *uneven(rows)])
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
