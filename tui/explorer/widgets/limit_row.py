"""The dialog row for the number of documents."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.widgets import Input, Label

from core.config.limit import Limit


class LimitRow(Horizontal):
    """A row that asks for the number of documents per task, or a part of them; its input field is ``#limit``."""

    def __init__(self, limit: Limit) -> None:
        text = "" if limit is None else str(limit)
        self._field = Input(text, id="limit", type="number", compact=True)
        super().__init__(Label("documents a task (empty: all)"), self._field, classes="row")

    @property
    def written(self) -> str | None:
        """Return the text of the field; None for all documents."""
        return self._field.value.strip() or None
