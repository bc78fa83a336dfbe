"""The paper's Tables 1 to 4 and its figures from the store, as `cornerstone paper` prints them.

The comparison of estimators takes longer to read, so it has a view of its own.
"""

from __future__ import annotations

from typing import Any

from core.estimators.registry import checked
from core.estimators.windows import WindowFirst
from core.paper.report import report
from store.reading.paper import PaperSelection, read_paper
from store.results import Results
from tui.drawing.gap_text import gap_texts
from tui.drawing.plain import plain
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.compare.view import Asked, Export, Lead, View, first_fill
from tui.paper.figures import figure_rows
from tui.paper.preface import preface
from tui.paper.rows import PaperRow, paper_rows
from tui.paper.tables import names_of
from tui.paper.text import figures_text, tables_text


def read_paper_view(asked: Asked) -> View:
    """Read the tables and figures of every stored model.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing that the tables are made of.
    """
    chosen = checked(asked.settings)
    selection = PaperSelection(value=asked.value, max_removed=WindowFirst.of(chosen).max_removed)
    read = read_paper(asked.store, selection, PATIENCE_S)
    models = tuple(report(values) for values in read.models)
    names = names_of(models)
    figures = figure_rows(Results(asked.store, PATIENCE_S), models, names, selection)
    gaps = (*read.gaps, *read.missing)

    def draw(_row: Any, _column: int, width: int, _height: int) -> str:
        return tables_text(models, names, (), preface(selection), width)

    def more(_row: Any, _column: int, width: int, _height: int) -> str:
        return figures_text(figures, width)

    def lead(_row: Any, _column: int) -> Lead:
        shown = next((model for model in models if model.model_id == asked.model_id), models[0])
        return Lead(shown.model_id, None, table="cornerstones")

    return View(
        export=Export("paper", PaperRow, paper_rows(models, (), selection)),
        draw=draw,
        more=more,
        lead=lead,
        notes=(*(f"missing: {gap}" for gap in gap_texts(gaps, asked.store)), *map(plain, read.notes)),
        fill=first_fill(read.gaps),
    )
