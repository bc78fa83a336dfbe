"""The figures of one model and task: shares, scores by removed layer, and Shapley values by layer."""

from __future__ import annotations

from dataclasses import dataclass

from core.estimators.question import Question
from core.estimators.registry import checked
from core.estimators.windows import WindowFirst
from store.results import Results
from store.rows import AblationRow, Selection, ShapleyRow
from tui.explorer.browser_tables import PATIENCE_S
from tui.explorer.compare.view import Asked
from tui.paper.figures import FigureRows
from tui.paper.text import figures_text

_NOTHING = "neither ablations nor windows of it are stored: r on the explorer runs them"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the figures show."""

    rows: tuple[FigureRows, ...]

    def text(self, width: int) -> str:
        """Draw them in so many columns."""
        return figures_text(self.rows, width) if self.rows else _NOTHING


def read_figures(asked: Asked, model_id: str, task_id: str) -> Figures:
    """Read what the figures of one model and task show.

    Raises:
        CornerstoneError: the store cannot be read.
    """
    results, own = Results(asked.store, PATIENCE_S), Selection(model_id, task_id)
    shapley = results.answers([Question(WindowFirst.of(checked(asked.settings)))], own, asked.value).rows
    ablation = results.ablation(own, asked.value).rows
    rows: tuple[AblationRow | ShapleyRow, ...] = (*ablation, *shapley)
    if not rows:
        return Figures(())
    first = rows[0]
    whole = tuple(row for row in shapley if not row.partial)
    return Figures((FigureRows(first.model, first.task, first.value, ablation, whole),))
