"""A panel for each model and task, in a grid that fits a paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Generic, TypeVar

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.values.derived import named
from tui.drawing.plain import told_apart
from tui.figures.spread import characters_in, points_wide, shortened
from tui.figures.style import INCHES, TALLEST, Width, safe

RowT = TypeVar("RowT")

# What the labels at the left take, and what stands between axes.
_EDGE_POINTS = 24.0
_GAP_POINTS = 8.0
_TITLE_POINTS = 7.0
_STEPS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Panel(Generic[RowT]):
    """Rows of one model on one task (and estimator), and what tells them from the other panels."""

    title: str
    rows: tuple[RowT, ...]


def panels(rows: Sequence[RowT], *more: Callable[[Any], str]) -> tuple[str, list[Panel[RowT]]]:
    """What all rows have in common, and a panel for each model and task, in the order in which they come.

    Where the rows are of several values, each panel's title names its own.

    Args:
        rows: with ``model``, ``task``, their ids, ``value`` and ``n``.
        more: what else tells panels apart, such as the estimator.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("no rows to draw")
    models = told_apart({(safe(_of(row, "model")), _of(row, "model_id")) for row in rows})
    tasks = told_apart({(safe(_of(row, "task")), _of(row, "task_id")) for row in rows})
    value: list[Callable[[Any], str]] = [_value] if len(set(map(_value, rows))) > 1 else []
    parts = [lambda row: models[row.model_id], lambda row: tasks[row.task_id], *value, *more]
    common = [part for part in parts[:1] + parts[2:] if len({part(row) for row in rows}) == 1]
    own = [part for part in parts if part not in common]
    grouped: dict[tuple[str, ...], list[RowT]] = {}
    for row in rows:
        grouped.setdefault(tuple(part(row) for part in parts), []).append(row)
    found = [Panel(", ".join(part(group[0]) for part in own), tuple(group)) for group in grouped.values()]
    return ", ".join(part(rows[0]) for part in common), found


def of_value(what: str, rows: Sequence[Any]) -> str:
    """An axis's name: ``what``, and the value that it is of where all rows are of one; else the panels' titles say."""
    values = {_value(row) for row in rows}
    return what if len(values) > 1 else f"{what} ({values.pop()})"


def entitle(place: Axes, panel: Panel[Any], points: float) -> None:
    """Write over a panel what it is of and of how many documents, in so much room."""
    count = f" ({counted(panel.rows)})"
    title = shortened(panel.title, points - points_wide(count, _TITLE_POINTS), _TITLE_POINTS)
    place.set_title(f"{title}{count}", fontsize=_TITLE_POINTS)


def counted(rows: Sequence[Any]) -> str:
    """``n = 64``, of the documents that the rows are of; a range where they differ."""
    counts = sorted({row.n for row in rows})
    return f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"


def grid(count: int, width: Width, columns: int, height: float, *, share_y: bool) -> tuple[Figure, list[Axes], float]:
    """A figure with ``count`` axes in up to ``columns`` columns, each ``height`` inches, less where a page is full.

    The last is about how many points each of the axes is wide.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(INCHES[width], min(rows * height + 0.5, TALLEST)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=share_y).flatten().tolist()
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count], (INCHES[width] * 72 - _EDGE_POINTS) / columns - _GAP_POINTS


def above(figure: Figure, title: str, keys: Sequence[Artist], width: Width) -> None:
    """What all panels have in common and what the marks mean, on top of the figure."""
    columns = len(keys) if width == "page" else 3
    title = in_room(title, INCHES[width] * 72, 8)
    figure.legend(handles=list(keys), title=title, title_fontsize=8, loc="outside upper center", ncols=columns)


def in_room(text: str, points: float, size: float) -> str:
    """The text in as many lines as it needs, broken after commas and between words; what is one long word is cut."""
    most = characters_in(points, size)
    return "\n".join(shortened(line, points, size) for line in wrap(text, most, break_long_words=False))


def tick_step(count: int) -> int:
    """How many layers or players from one tick to the next, so that about ten are named."""
    return next((step for step in _STEPS if count / step <= 10), _STEPS[-1])


def _value(row: Any) -> str:
    return safe(named(row.value))


def _of(row: Any, name: str) -> str:
    return str(getattr(row, name))
