"""The dialog row for the layers whose experts are players."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.widgets import Input, Label


class ExpertsRow(Horizontal):
    """A row that asks in which layers single experts are players; its input field is ``#experts``."""

    def __init__(self, layers: str | None) -> None:
        self._given = layers
        self._field = Input(layers or "", placeholder="all, 3,5-7", id="experts", compact=True)
        super().__init__(Label("single experts in layers"), self._field, classes="row")

    def written(self, *, same_model: bool) -> str | None:
        """Return the text of the field; None for no layers.

        Args:
            same_model: another model takes no layers that were given for this one.
        """
        text = self._field.value.strip() or None
        return text if same_model or text != self._given else None
