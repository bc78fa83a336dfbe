"""The row of a dialog that asks for how many documents."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.widgets import Input, Label


class LimitRow(Horizontal):
    """How many documents a task; its field is ``#limit``."""

    def __init__(self, limit: int | None) -> None:
        text = "" if limit is None else str(limit)
        self._field = Input(text, id="limit", type="integer", compact=True)
        super().__init__(Label("documents a task (empty: all)"), self._field, classes="row")

    @property
    def written(self) -> str | None:
        """What is written in it; None for all documents."""
        return self._field.value.strip() or None
