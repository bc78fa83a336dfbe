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

# Width of the labels at the left, and of the gap between axes.
_EDGE_POINTS = 24.0
_GAP_POINTS = 8.0
_TITLE_POINTS = 7.0
_STEPS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Panel(Generic[RowT]):
    """Rows of one model on one task (and estimator), and the title that distinguishes them from other panels."""

    title: str
    rows: tuple[RowT, ...]


def panels(rows: Sequence[RowT], *more: Callable[[Any], str]) -> tuple[str, list[Panel[RowT]]]:
    """Return the text that all rows share, and a panel for each model and task, in order of appearance.

    If the rows hold several values, each panel's title names its value.

    Args:
        rows: rows with ``model``, ``task``, their ids, ``value`` and ``n``.
        more: functions of a row that distinguish further panels, such as by estimator.

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
    """Return the name of an axis: ``what``, and the value if all rows hold the same one.

    Otherwise the panels' titles name the values.
    """
    values = {_value(row) for row in rows}
    return what if len(values) > 1 else f"{what} ({values.pop()})"


def entitle(place: Axes, panel: Panel[Any], points: float) -> None:
    """Write the title of a panel and its number of documents, in a width of ``points``."""
    count = f" ({counted(panel.rows)})"
    title = shortened(panel.title, points - points_wide(count, _TITLE_POINTS), _TITLE_POINTS)
    place.set_title(f"{title}{count}", fontsize=_TITLE_POINTS)


def counted(rows: Sequence[Any]) -> str:
    """Return ``n = 64``, the number of documents of the rows; a range if they differ."""
    counts = sorted({row.n for row in rows})
    return f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"


def grid(count: int, width: Width, columns: int, height: float, *, share_y: bool) -> tuple[Figure, list[Axes], float]:
    """Return a figure with ``count`` axes in up to ``columns`` columns, and the width of each axes in points.

    Each axes is ``height`` inches high, or less if the page is full. The width is approximate.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(INCHES[width], min(rows * height + 0.5, TALLEST)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=share_y).flatten().tolist()
    for spare in axes[count:]:
        spare.remove()
    return figure, axes[:count], (INCHES[width] * 72 - _EDGE_POINTS) / columns - _GAP_POINTS


def above(figure: Figure, title: str, keys: Sequence[Artist], width: Width) -> None:
    """Write the text that all panels share above the figure, and the legend."""
    columns = len(keys) if width == "page" else 3
    title = in_room(title, INCHES[width] * 72, 8)
    figure.legend(handles=list(keys), title=title, title_fontsize=8, loc="outside upper center", ncols=columns)


def in_room(text: str, points: float, size: float) -> str:
    """Break a text into lines, after commas and between words; shorten a single word that is too long."""
    most = characters_in(points, size)
    return "\n".join(shortened(line, points, size) for line in wrap(text, most, break_long_words=False))


def tick_step(count: int) -> int:
    """Return the number of layers or players between ticks, so that there are about ten ticks."""
    return next((step for step in _STEPS if count / step <= 10), _STEPS[-1])


def _value(row: Any) -> str:
    return safe(named(row.value))


def _of(row: Any, name: str) -> str:
    return str(getattr(row, name))
