"""The dialog row for the layers whose experts are players."""

from __future__ import annotations

from typing import Final

from textual.containers import Horizontal
from textual.widgets import Input, Label

from core.coalitions.expert_layers import normal_layers
from tui.explorer.field_error import checked

_LABEL: Final = "single experts in layers"


class ExpertsRow(Horizontal):
    """A row that asks in which layers single experts are players; its input field is ``#experts``."""

    def __init__(self, layers: str | None) -> None:
        self._given = layers
        self._field = Input(layers or "", placeholder="all, 3,5-7", id="experts", compact=True)
        super().__init__(Label(_LABEL), self._field, classes="row")

    def written(self, *, same_model: bool) -> str | None:
        """Return the layers in the field; None for none.

        Args:
            same_model: another model takes no layers that were given for this one.

        Raises:
            FieldError: the field names no layers.
        """
        text = self._field.value.strip() or None
        if text is None or not (same_model or text != self._given):
            return None
        return checked("experts", _LABEL, text, normal_layers)
