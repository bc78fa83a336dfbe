"""The dialog row for the number of documents."""

from __future__ import annotations

from typing import ClassVar

from textual.containers import Horizontal
from textual.widgets import Input, Label

from core.config.limit import Limit, checked_limit
from tui.explorer.field_error import checked


class LimitRow(Horizontal):
    """A row that asks for the number of documents per task, or a part of them; its input field is ``#limit``."""

    label: ClassVar[str] = "documents a task"

    def __init__(self, limit: Limit, *, id: str | None = None) -> None:  # noqa: A002 as Textual has it
        text = "" if limit is None else str(limit)
        self._field = Input(text, id="limit", compact=True)
        super().__init__(Label(f"{self.label} (empty: all)"), self._field, classes="row", id=id)

    @property
    def chosen(self) -> Limit:
        """The number of documents, or the part of them; None for all.

        Raises:
            FieldError: the field has no such number.
        """
        limit: Limit = checked("limit", self.label, self._field.value.strip() or None, checked_limit)
        return limit
