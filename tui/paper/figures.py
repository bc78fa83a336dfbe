"""Figures 2 to 6 from stored results: their rows, their text, and their files by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from core.errors import CornerstoneError
from core.paper.published import TASKS
from core.paper.report import ModelReport
from core.values.derived import named, unit_of
from store.reading.paper import PaperSelection
from store.rows import AblationRow, Selection, ShapleyRow
from tui.drawing.plain import plain
from tui.paper.bars import share_bars, value_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from store.results import Results

_MIXED = "acc_norm where defined, else acc"


@dataclass(frozen=True, slots=True)
class FigureRows:
    """One model on one task, with the names to print. There are no rows if nothing is stored."""

    model: str
    task: str
    value: str
    ablation: tuple[AblationRow, ...]
    shapley: tuple[ShapleyRow, ...]


def figure_rows(
    results: Results, models: Sequence[ModelReport], names: dict[str, str], selection: PaperSelection
) -> tuple[FigureRows, ...]:
    """Return the rows of the figures, for the same tasks as the tables."""
    found = []
    for model in models:
        for task in model.tasks:
            own = Selection(model.model_id, task.task_id)
            values = results.shapley(own, task.value, selection.estimator, max_removed=selection.max_removed).rows
            found.append(
                FigureRows(
                    names[model.model_id],
                    task.task,
                    task.value,
                    results.ablation(own, task.value).rows,
                    # An estimate by shorter windows is another estimate, which the tables do not show either.
                    tuple(row for row in values if not row.partial),
                )
            )
    return tuple(found)


def texts(rows: Sequence[FigureRows], width: int, *, colour: bool) -> list[tuple[str, list[str]]]:
    """Return each figure's title and its panels; a figure without stored results is left out."""
    shares = [share_bars(one.shapley, _heading(one, one.shapley), width) for one in rows if one.shapley]
    charts = [_chart(one.ablation, width, colour=colour) for one in rows if one.ablation]
    values = [value_columns(one.shapley, _heading(one, one.shapley), width) for one in rows if one.shapley]
    units = {unit_of(one.value) for one in rows}
    unit = f" ({', '.join(filter(None, units))})" if len(units) == 1 and None not in units else ""
    figures = [
        ("Figure 2. Shares of the sum of positive Shapley values, the largest four named (95% interval)", shares),
        (f"Figures 3 to 5. Score after one layer is removed{unit}", charts),
        (f"Figure 6. Shapley values by layer, unclipped{unit}", values),
    ]
    return [(title, panels) for title, panels in figures if panels]


def _chart(rows: Sequence[AblationRow], width: int, *, colour: bool) -> str:
    from tui.drawing.ablation_chart import ablation_chart

    title, chart = ablation_chart(rows, width=width, colour=colour).split("\n", 1)
    return "\n".join([*wrap(title, width), chart])


def _heading(one: FigureRows, rows: Sequence[ShapleyRow]) -> str:
    first = rows[0]
    task = TASKS.get(one.task, plain(one.task))
    return f"{plain(one.model)} on {task} ({plain(named(first.value))}, {first.estimator}, n={first.n})"


def write_figures(rows: Sequence[FigureRows], form: str, folder: Path, *, force: bool) -> list[Path]:
    """Write one file for Figure 2, and for each model one like Figures 3 to 5 and one like Figure 6.

    Args:
        rows: the rows of the figures.
        form: one of ``tui.figures.save.FORMATS``.
        folder: the folder to write to; created if it does not exist.
        force: replace files that exist.

    Raises:
        CornerstoneError: matplotlib is not installed, nothing is stored, or a file may not or cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise CornerstoneError(f"{form} needs matplotlib, which is not installed: pip install 'cornerstone[figures]'")
    from tui.figures.ablation import ablation_figure
    from tui.figures.save import save
    from tui.figures.shapley import shapley_figure
    from tui.figures.shares import shares_figure

    shapley = [row for one in rows for row in one.shapley]
    drawings: list[tuple[str, Callable[[], Figure]]] = []
    if any(row.share is not None for row in shapley):
        drawings.append(("figure-2-shares", partial(shares_figure, shapley)))
    for model in dict.fromkeys(one.model for one in rows):
        removed = [row for one in rows if one.model == model for row in one.ablation]
        values = [row for one in rows if one.model == model for row in one.shapley]
        if removed:
            drawings.append((f"figure-3-ablation-{_file(model)}", partial(ablation_figure, removed)))
        if values:
            drawings.append((f"figure-6-shapley-{_file(model)}", partial(shapley_figure, values)))
    if not drawings:
        raise CornerstoneError("nothing is stored that a figure could show; `cornerstone run` makes some")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise CornerstoneError(f"{folder} is a file; name a folder for the figures") from error
    except OSError as error:
        raise CornerstoneError(f"cannot create the folder {folder}: {error.strerror}") from error
    mixed = len({one.value for one in rows}) > 1
    paths = []
    for name, draw in drawings:
        drawn = draw()
        if mixed and "shares" not in name:
            drawn.supylabel(_MIXED, fontsize=7)
        paths.append(folder / f"{name}.{form}")
        save(drawn, paths[-1], force=force)
    return paths


def _file(name: str) -> str:
    """Return a name that a file can have."""
    return "".join(char if char.isalnum() or char in "-.@" else "-" for char in plain(name)).strip("-.") or "model"
