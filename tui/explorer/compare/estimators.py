"""Estimators against exact values, and against each other: which layers each names."""

from __future__ import annotations

from typing import Any

from core.errors import CornerstoneError
from core.estimators.registry import checked, compared
from core.estimators.windows import WindowFirst
from core.paper.report import report
from store.comparison_rows import AgreementRow
from store.reading.paper import PaperSelection, read_paper
from store.results import Results
from store.tables import Asked as TableAsked
from store.tables import tables
from tui.drawing.gap_text import gap_texts, note_texts
from tui.explorer.browser_tables import PATIENCE_S, columns_of
from tui.explorer.compare.view import Asked, Export, Lead, View, first_fill
from tui.explorer.listing import listing
from tui.paper.agreement import Agreement, agreement_table, agreements
from tui.paper.tables import names_of
from tui.paper.text import rendered, table_of

_NO_EXACT = "no exact values are stored, so no estimator is compared with them"


def read_estimators(asked: Asked) -> View:
    """Read how far estimators are from exact values, and which layers each names.

    Raises:
        CornerstoneError: the store cannot be read, or holds nothing.
    """
    results = Results(asked.store, PATIENCE_S)
    table = tables()["estimators"]
    answer = table.read(results, TableAsked(value=asked.value, settings=asked.settings))
    names, named = _named(asked, results)

    def draw(_row: Any, _column: int, width: int, _height: int) -> str:
        return rendered([table_of(table) for table in agreement_table(named, names)], width, colour=False)

    def lead(row: Any, _column: int) -> Lead | None:
        return None if row is None else Lead(row.model_id, row.task_id, table="shapley")

    groups = results.groups().rows
    open_models = {group.model for group in groups if group.model_id == asked.model_id}
    own = [gap for gap in answer.gaps if getattr(gap.fill, "model", None) in open_models]
    gaps = gap_texts(answer.gaps, asked.store)
    return View(
        export=Export("estimators", AgreementRow, answer.rows),
        subject="estimators against the exact values of the same units",
        listing=listing(columns_of(table, groups), answer.rows),
        draw=draw,
        lead=lead,
        notes=(*gaps, *note_texts([answer], asked.store)),
        fill=first_fill(own or answer.gaps),
        nothing="; ".join((_NO_EXACT, *gaps)),
    )


def _named(asked: Asked, results: Results) -> tuple[dict[str, str], tuple[Agreement, ...]]:
    """Return the names of the models, and the layers that each estimator names; none if no task has such a value."""
    chosen = checked(asked.settings)
    only = () if asked.model_id is None else (asked.model_id,)  # of all models it would take minutes
    selection = PaperSelection(only, value=asked.value, max_removed=WindowFirst.of(chosen).max_removed)
    try:
        models = tuple(report(values) for values in read_paper(asked.store, selection, PATIENCE_S).models)
    except CornerstoneError:
        return {}, ()
    return names_of(models), agreements(results, models, compared(chosen))
