"""A dialog in which letters go to a field, wherever the focus is: lists and buttons have no use for them."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import events
from textual.screen import ModalScreen
from textual.widgets import Input

ResultT = TypeVar("ResultT")


class TypingDialog(ModalScreen[ResultT]):
    """A dialog with a field for what is typed.

    ``TYPED`` selects its fields. Letters go to the one that stands with the list that has the focus, else to the one
    that had the focus last.
    """

    TYPED: ClassVar[str] = "Input"

    _typed_last: Input | None = None

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        field = event.widget
        if isinstance(field, Input) and field in self.query(self.TYPED):
            self._typed_last = field

    def on_key(self, event: events.Key) -> None:
        """Write a letter that nothing else takes into a field, which then has the focus."""
        if not event.is_printable or isinstance(self.focused, Input) or event.key in self.active_bindings:
            return
        event.stop()
        field = self._field()
        self.set_focus(field)
        field.post_message(events.Key(event.key, event.character))

    def _field(self) -> Input:
        fields = list(self.query(self.TYPED).results(Input))
        focused = self.focused
        for node in () if focused is None else focused.ancestors:
            near = [field for field in fields if node in field.ancestors]
            if near and len(near) < len(fields):
                return near[0]
        return self._typed_last or fields[0]
