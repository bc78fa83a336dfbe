"""Tables and figures for a terminal, adapted to its width."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.paper.report import ModelReport
from tui.drawing.plain import plain
from tui.paper.figures import FigureRows, texts
from tui.paper.layout import PaperTable
from tui.paper.tables import paper_tables

# From this width on, two figures stand side by side.
_TWO = 118
_GAP = 2
# The smallest width of one model in a table's line.
_MODEL_WIDTH = 29
_LABELS_WIDTH = 18


def table_of(table: PaperTable) -> RenderableType:
    """Return a table with its title above and its notes below."""
    body = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for at, name in enumerate(table.header):
        body.add_column(Text(plain(name)), justify="right" if at else "left", overflow="fold", vertical="bottom")
    parts: list[RenderableType] = [Text(plain(table.title), style="bold"), body]
    for at, section in enumerate(table.sections):
        if section.heading and len(table.sections) > 1:
            body.add_row(Text(plain(section.heading), style="italic"))
        elif section.heading:
            parts.insert(1, Text(plain(section.heading), style="italic"))
        for row in section.rows:
            body.add_row(*(Text(plain(cell)) for cell in row))
        if at + 1 < len(table.sections):
            body.add_section()
    return Group(*parts, *(Text(plain(note), style="dim") for note in table.notes), Text(""))


def figure_width(width: int) -> int:
    """Return the width of one figure in a terminal with ``width`` columns."""
    return (width - _GAP) // 2 if width >= _TWO else width


def beside(figures: Sequence[str], width: int) -> RenderableType:
    """Return figures side by side if there is room; they may hold colours."""
    columns = 2 if width >= _TWO else 1
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    for _ in range(columns):
        grid.add_column(width=figure_width(width) if columns > 1 else None, no_wrap=True)
    for start in range(0, len(figures), columns):
        grid.add_row(*(Text.from_ansi(figure).append("\n") for figure in figures[start : start + columns]))
    return grid


def tables_text(
    models: Sequence[ModelReport],
    names: dict[str, str],
    more: Sequence[PaperTable],
    opening: Sequence[str],
    width: int,
    *,
    colour: bool = False,
) -> str:
    """Return all tables as text: as many models beside each other as there is room for.

    Args:
        models: at least one model.
        names: the name of each model, by its id.
        more: tables that come after those of the paper.
        opening: the sentences before the tables.
        width: the width in columns.
        colour: whether styles are written as escape sequences.
    """
    at_once = max(1, (width - _LABELS_WIDTH) // _MODEL_WIDTH)
    parts: list[RenderableType] = [*(Text(plain(sentence)) for sentence in opening), Text("")]
    for start in range(0, len(models), at_once):
        parts += [table_of(table) for table in paper_tables(models[start : start + at_once], names)]
    parts += [table_of(table) for table in more]
    return rendered(parts, width, colour=colour)


def figures_text(rows: Sequence[FigureRows], width: int, *, colour: bool = False) -> str:
    """Return all figures as text, two side by side if there is room."""
    parts: list[RenderableType] = []
    for title, panels in texts(rows, figure_width(width), colour=colour):
        parts += [Text(title, style="bold"), Text(""), beside(panels, width)]
    return rendered(parts, width, colour=colour)


def rendered(parts: Sequence[RenderableType], width: int, *, colour: bool) -> str:
    """Return all parts as text."""
    console = Console(width=width, force_terminal=colour, color_system="auto" if colour else None, highlight=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    lines = capture.get().split("\n")
    return "\n".join(lines if colour else [line.rstrip() for line in lines])
