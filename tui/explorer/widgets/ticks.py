"""Ticks and choices that are seen without colour: [x] and [ ], ● and ○."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.style import Style
from textual.widgets import Checkbox, RadioButton, RadioSet

from tui.explorer.widgets.reversed_style import with_reverse


class Tick(Checkbox):
    """A box that is ticked or not."""

    DEFAULT_CSS = """
    Tick {
        border: none; padding: 0; background: transparent;
        &:focus {
            border: none;
            & > .toggle--label { color: $foreground; background: transparent; text-style: bold reverse; }
        }
    }
    """

    @property
    def _button(self) -> Content:
        return Content("[x]" if self.value else "[ ]")

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        style = super().get_visual_style(*component_classes, partial=partial)
        return with_reverse(self, component_classes, style)


class Option(RadioButton):
    """One of several options, of which one is chosen."""

    @property
    def _button(self) -> Content:
        return Content("●" if self.value else "○")

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        style = super().get_visual_style(*component_classes, partial=partial)
        return with_reverse(self, component_classes, style)


class OptionSet(RadioSet):
    """Options of which one is chosen. The arrow keys choose at once; enter is left to the dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,right", "choose('next_button')", "the next one", show=False),
        Binding("up,left", "choose('previous_button')", "the one before", show=False),
        Binding("enter", "screen.write", "write", show=False),
    ]

    def action_choose(self, move: str) -> None:
        getattr(self, f"action_{move}")()
        self.action_toggle_button()

    def on_focus(self) -> None:
        """Begin at the option that is chosen."""
        self._selected = self.pressed_index
